/** The keyboard on the stage: arrows turn, with Shift they move, plus and minus zoom, Home shows the front. */

import type { Stage } from "./stage";

const STEP = 5; // degrees
const PAN = 0.04; // of the head's height
const ZOOM = 1.1;

export function listenToKeys(stage: Stage): void {
  const keys: Record<string, () => void> = {
    ArrowLeft: () => stage.turnBy(-STEP, 0),
    ArrowRight: () => stage.turnBy(STEP, 0),
    ArrowUp: () => stage.turnBy(0, STEP),
    ArrowDown: () => stage.turnBy(0, -STEP),
    "Shift+ArrowLeft": () => stage.panBy(-PAN, 0),
    "Shift+ArrowRight": () => stage.panBy(PAN, 0),
    "Shift+ArrowUp": () => stage.panBy(0, PAN),
    "Shift+ArrowDown": () => stage.panBy(0, -PAN),
    "+": () => stage.zoomBy(1 / ZOOM),
    "-": () => stage.zoomBy(ZOOM),
    Home: () => stage.reset(),
  };
  stage.canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = event.key.startsWith("Arrow");
    const act = keys[arrow && event.shiftKey ? `Shift+${event.key}` : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
