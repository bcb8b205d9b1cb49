/** The picture on the stage as a file: JPG on the colour of the stage, or PNG without it. */

import type { Comparison } from "./comparison";
import type { Stage } from "./stage";

const SIZE = 2048; // pixels of the longer side
const QUALITY = 0.92;

export interface PictureWishes {
  readonly transparent: boolean;
  readonly double: boolean;
}

/** Let the browser save what is seen: the face on the stage, or on the photo while comparing. */
export function savePicture(stage: Stage, comparison: Comparison, { transparent, double }: PictureWishes): void {
  const model = stage.capture(double ? 2 * SIZE : SIZE, !transparent);
  const picture = document.createElement("canvas");
  [picture.width, picture.height] = [model.width, model.height];
  const context = picture.getContext("2d")!;
  if (!transparent) paintBackdrop(context, stage.canvas.parentElement!);
  comparison.paint(context, model);
  const kind = transparent ? "png" : "jpeg";
  picture.toBlob((blob) => save(blob!, transparent ? "face.png" : "face.jpg"), `image/${kind}`, QUALITY);
}

/** The stage's own backdrop: lighter in the middle. */
function paintBackdrop(context: CanvasRenderingContext2D, stage: HTMLElement): void {
  const { width, height } = context.canvas;
  const style = getComputedStyle(stage);
  const gradient = context.createRadialGradient(width / 2, 0.45 * height, 0, width / 2, 0.45 * height, 0.75 * Math.max(width, height));
  gradient.addColorStop(0, style.getPropertyValue("--backdrop-near"));
  gradient.addColorStop(1, style.getPropertyValue("--backdrop-far"));
  context.fillStyle = gradient;
  context.fillRect(0, 0, width, height);
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.download = name;
  link.href = URL.createObjectURL(blob);
  link.click();
  URL.revokeObjectURL(link.href);
}
