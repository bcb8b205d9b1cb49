/** Downloads that a worker may have to make first: asked for again until they are there, then saved. */

import { fetchMade } from "./fetching";

/** Let the links and forms marked with `data-slow`, the name of their file, wait for what they ask for. */
export function waitForSlowFiles(page: Document): void {
  const status = page.querySelector<HTMLElement>("[data-slow-status]");
  if (!status) return;
  const fetchInto = (url: string, name: string) => {
    status.textContent = "";
    download(url, name, () => (status.textContent = status.dataset.waiting!)).then(
      () => (status.textContent = ""),
      (error: unknown) => (status.textContent = error instanceof Refused ? error.message : status.dataset.failed!),
    );
  };
  for (const link of page.querySelectorAll<HTMLAnchorElement>("a[data-slow]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      fetchInto(link.href, link.dataset.slow!);
    });
  }
  for (const form of page.querySelectorAll<HTMLFormElement>("form[data-slow]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const query = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
      fetchInto(`${form.action}?${query}`, form.dataset.slow!);
    });
  }
}

/** What was asked for is not possible, for a reason that the server tells. */
class Refused extends Error {}

async function download(url: string, name: string, tellWaiting: () => void): Promise<void> {
  const answer = await fetchMade(url, tellWaiting);
  if (answer.status === 422) throw new Refused(((await answer.json()) as { detail: string }).detail);
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
