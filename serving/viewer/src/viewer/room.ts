/** The face in one's own room, where the device can do that: in the page (WebXR), or beside it (Quick Look of iPhones). */

import type { Face } from "./face";
import type { Stage } from "./stage";
import { usdz } from "./usdz";

const AWAY = 0.6; // metres before the eyes

/** Show the button where it leads somewhere. */
export async function offerRoom(button: HTMLButtonElement, stage: Stage, face: Face): Promise<void> {
  const xr = (navigator as { xr?: XRSystem }).xr;
  if (await xr?.isSessionSupported("immersive-ar").catch(() => false)) {
    button.addEventListener("click", async () => stage.enterRoom(await xr!.requestSession("immersive-ar"), AWAY));
  } else if (document.createElement("a").relList.supports("ar")) {
    button.addEventListener("click", async () => quickLook(await usdz(face)));
  } else return;
  button.hidden = false;
}

/** Hand a file to the system's viewer, which wants a link with a picture in it. */
function quickLook(file: Blob): void {
  const link = document.createElement("a");
  link.rel = "ar";
  link.href = URL.createObjectURL(file);
  link.download = "face.usdz";
  link.append(document.createElement("img"));
  link.click();
}
