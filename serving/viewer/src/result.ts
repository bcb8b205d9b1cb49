/** The result page before its viewer: the photo stands in, and what needs no 3D works at once. */

import { fetchWhole, Lost } from "./fetching";
import { offerSharing } from "./sharing";
import { waitForSlowFiles } from "./slow";
import { seen } from "./viewer/pauses";

type Viewer = typeof import("./viewer");

waitForSlowFiles(document);
offerSharing(document);
const viewer = document.querySelector<HTMLElement>("[data-viewer]")!;
open(viewer).catch((error: unknown) => sayWhatFailed(viewer, error));

/** Viewer and face are large: they come once the photo is seen, which has the connection and the processor to itself. */
async function open(viewer: HTMLElement): Promise<void> {
  const { script, web, bytes } = viewer.dataset;
  const bar = viewer.querySelector<HTMLProgressElement>('[data-part="loading"]')!;
  await seen(viewer.querySelector<HTMLImageElement>(".stage-preview")!);
  const file = fetchWhole(web!, Number(bytes), (share) => (bar.value = share));
  await Promise.all([file, load(script!).then(({ openViewer }) => openViewer(viewer, file))]);
}

async function load(script: string): Promise<Viewer> {
  return import(script).catch((cause: unknown) => {
    throw new Lost(script, { cause });
  });
}

/** A face that is seen already stays, also where something after it fails. */
function sayWhatFailed(viewer: HTMLElement, error: unknown): void {
  const seen = viewer.classList.contains("ready");
  viewer.classList.toggle("failed", !seen);
  viewer.classList.toggle("lost", error instanceof Lost);
  if (seen) viewer.querySelector<HTMLElement>("[data-part=still]")!.hidden = false;
}
