/** Downloads that a worker may have to make first: asked for again until they are there, then saved. */

import { fetchMade } from "./fetching";

/** Let buttons marked with `data-slow`, the name of their file, wait for what their forms ask for. */
export function waitForSlowFiles(page: Document): void {
  const status = page.querySelector<HTMLElement>("[data-slow-status]");
  const form = status?.closest("form");
  if (!status || !form) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter as HTMLButtonElement;
    const address = button.hasAttribute("formaction") ? button.formAction : form.action;
    const query = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
    status.textContent = "";
    download(`${address}?${query}`, button.dataset.slow!, () => (status.textContent = status.dataset.waiting!)).then(
      () => (status.textContent = ""),
      (error: unknown) => (status.textContent = error instanceof Refused ? error.message : status.dataset.failed!),
    );
  });
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
