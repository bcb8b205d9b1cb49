/** The pad on which people drag the light, beside the sliders that say the same to a keyboard. */

const WIDEST = 90; // degrees to either side
const [LOWEST, HIGHEST] = [-60, 85];

/** Let the pad move the sliders, and the sliders the spot on the pad. */
export function dragLight(pad: HTMLElement, side: HTMLInputElement, height: HTMLInputElement): void {
  const spot = pad.querySelector<HTMLElement>("[data-spot]")!;
  const place = () => {
    spot.style.left = `${50 + (50 * Number(side.value)) / WIDEST}%`;
    spot.style.top = `${(100 * (HIGHEST - Number(height.value))) / (HIGHEST - LOWEST)}%`;
  };
  const drag = (event: PointerEvent) => {
    const box = pad.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    side.value = String(Math.round((2 * x - 1) * WIDEST));
    height.value = String(Math.round(HIGHEST - y * (HIGHEST - LOWEST)));
    side.dispatchEvent(new Event("input", { bubbles: true }));
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    drag(event);
  });
  pad.addEventListener("pointermove", (event) => pad.hasPointerCapture(event.pointerId) && drag(event));
  for (const slider of [side, height]) slider.addEventListener("input", place);
  place();
}
