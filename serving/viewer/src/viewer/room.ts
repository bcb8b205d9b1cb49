/** The face in one's own room (WebXR), where the device can do that. */

import type { Stage } from "./stage";

const AWAY = 0.6; // metres before the eyes

/** Show the button where it leads somewhere. */
export async function offerRoom(button: HTMLButtonElement, stage: Stage): Promise<void> {
  const xr = (navigator as { xr?: XRSystem }).xr;
  if (!(await xr?.isSessionSupported("immersive-ar").catch(() => false))) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const session = await xr!.requestSession("immersive-ar");
    await stage.enterRoom(session, AWAY);
  });
}
