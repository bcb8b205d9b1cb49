/** The picture on the stage as a JPG file. */

import type { Comparison } from "./comparison";
import type { Stage } from "./stage";

const SIZE = 2048; // pixels of the longer side
const QUALITY = 0.92;

/** Let the browser save what is seen: the face on the colour of the stage, or on the photo while comparing. */
export function savePicture(stage: Stage, comparison: Comparison): void {
  const model = stage.capture(SIZE);
  const picture = document.createElement("canvas");
  [picture.width, picture.height] = [model.width, model.height];
  const context = picture.getContext("2d")!;
  context.fillStyle = getComputedStyle(stage.canvas.parentElement!).backgroundColor;
  context.fillRect(0, 0, picture.width, picture.height);
  comparison.paint(context, model);
  picture.toBlob((blob) => save(blob!, "face.jpg"), "image/jpeg", QUALITY);
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.download = name;
  link.href = URL.createObjectURL(blob);
  link.click();
  URL.revokeObjectURL(link.href);
}
