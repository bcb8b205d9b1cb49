/** Copy the link, or hand it to the share sheet of the phone. */

const TOLD_MS = 2500;

export function offerSharing(page: Document): void {
  const copy = page.querySelector<HTMLButtonElement>("[data-copy]");
  const share = page.querySelector<HTMLButtonElement>("[data-share]");
  const link = location.href.split("?")[0]!;
  if (copy) {
    copy.hidden = !navigator.clipboard;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(link);
      say(copy, copy.dataset.copied!);
    });
  }
  if (share) {
    share.hidden = !navigator.share;
    // Whoever closes the sheet without sharing has done nothing wrong.
    share.addEventListener("click", () => navigator.share({ title: document.title, url: link }).catch(() => {}));
  }
}

function say(button: HTMLButtonElement, text: string): void {
  const line = button.querySelector<HTMLElement>("[data-text]")!;
  const before = line.textContent;
  line.textContent = text;
  setTimeout(() => (line.textContent = before), TOLD_MS);
}
