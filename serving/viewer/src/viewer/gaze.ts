/** Eyes that follow the pointer, while somebody wants them to. */

import type { ExpressionSliders } from "./expressions";
import type { Expression } from "./face";

const REACH = 0.8; // of the farthest look, with the pointer at the edge of the stage

export function followPointer(stage: HTMLElement, sliders: ExpressionSliders, wanted: () => boolean): void {
  stage.addEventListener("pointermove", (event) => {
    if (!wanted() || event.buttons) return;
    const box = stage.getBoundingClientRect();
    const right = REACH * (2 * ((event.clientX - box.left) / box.width) - 1);
    const down = REACH * (2 * ((event.clientY - box.top) / box.height) - 1);
    sliders.set({ ...sliders.expression, ...gaze(right, down) });
  });
}

/** Weights of a look to the right of the picture and down, each in [-1, 1]; left and right eye are the person's. */
function gaze(right: number, down: number): Expression {
  const [toRight, toLeft] = [Math.max(0, right), Math.max(0, -right)];
  const [low, high] = [Math.max(0, down), Math.max(0, -down)];
  return {
    eyeLookOutLeft: toRight,
    eyeLookInRight: toRight,
    eyeLookInLeft: toLeft,
    eyeLookOutRight: toLeft,
    eyeLookDownLeft: low,
    eyeLookDownRight: low,
    eyeLookUpLeft: high,
    eyeLookUpRight: high,
  };
}
