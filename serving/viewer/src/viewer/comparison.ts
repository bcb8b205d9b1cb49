/** The comparison: the photo on one side of a line, the model drawn onto it on the other. */

import { type FaceDescription, photoCamera, type Region, regionAround } from "./photo";
import type { Stage } from "./stage";

export class Comparison {
  private region?: Region;

  constructor(
    private readonly stage: Stage,
    private readonly image: HTMLImageElement,
    private readonly line: HTMLInputElement,
    private readonly face: FaceDescription,
  ) {
    line.addEventListener("input", () => this.cut());
    new ResizeObserver(() => this.region && this.start()).observe(stage.canvas.parentElement!);
  }

  /** Lay the photo behind the model and look at it as the photo's camera did. */
  start(): void {
    const { clientWidth, clientHeight } = this.stage.canvas.parentElement!;
    this.region = regionAround(this.face, clientWidth / clientHeight);
    const { left, top, width } = this.region;
    const scale = clientWidth / width;
    const { style } = this.image;
    style.width = `${this.face.photo.width * scale}px`;
    style.transform = `translate(${-left * scale}px, ${-top * scale}px)`;
    this.show(true);
    this.stage.lookThrough(photoCamera(this.face, this.region));
    this.cut();
  }

  stop(): void {
    this.region = undefined;
    this.show(false);
    this.stage.lookThrough(undefined);
    this.stage.canvas.style.clipPath = "";
  }

  /** Draw what is on the stage: the photo, if it is there, and of the model what lies right of the line. */
  paint(context: CanvasRenderingContext2D, model: HTMLCanvasElement): void {
    const { width, height } = model;
    const left = this.region ? Math.round(this.position() * width) : 0;
    if (this.region) {
      const scale = width / this.region.width;
      const { left, top } = this.region;
      const photo = this.face.photo;
      context.drawImage(this.image, -left * scale, -top * scale, photo.width * scale, photo.height * scale);
    }
    context.drawImage(model, left, 0, width - left, height, left, 0, width - left, height);
  }

  private show(visible: boolean): void {
    this.image.hidden = !visible;
    this.line.hidden = !visible;
  }

  private cut(): void {
    this.stage.canvas.style.clipPath = `inset(0 0 0 ${100 * this.position()}%)`;
  }

  /** Where the line is, as a part of the width; the thumb of a slider stops half of its own width before the edges. */
  private position(): number {
    const part = Number(this.line.value) / 100;
    const thumb = Number.parseFloat(getComputedStyle(this.line).getPropertyValue("--thumb"));
    const width = this.line.clientWidth;
    return (part * (width - thumb) + thumb / 2) / width;
  }
}
