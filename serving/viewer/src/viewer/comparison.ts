/** The comparison: the photo on one side of a line, the model drawn onto it on the other. */

import { type FaceDescription, photoCamera, type Region, regionAround } from "./photo";
import type { Stage } from "./stage";

export class Comparison {
  private face?: FaceDescription;
  private region?: Region; // while comparing
  private wanted = false;

  constructor(
    private readonly stage: Stage,
    private readonly image: HTMLImageElement,
    private readonly line: HTMLInputElement,
    private readonly photoUrl: string,
    private readonly jsonUrl: string,
  ) {
    line.addEventListener("input", () => this.cut());
    new ResizeObserver(() => this.region && this.lay()).observe(stage.canvas.parentElement!);
  }

  /** Begin or end; photo and camera are fetched when they are first wanted. */
  async turn(on: boolean): Promise<void> {
    this.wanted = on;
    if (on) this.face ??= await this.fetch();
    if (this.wanted) this.lay();
    else this.clear();
  }

  /** Draw what is on the stage: the photo, while comparing, and of the model what lies right of the line. */
  paint(context: CanvasRenderingContext2D, model: HTMLCanvasElement): void {
    const { width, height } = model;
    let start = 0;
    if (this.region && this.face) {
      const scale = width / this.region.width;
      const { left, top } = this.region;
      const { photo } = this.face;
      context.drawImage(this.image, -left * scale, -top * scale, photo.width * scale, photo.height * scale);
      start = Math.round(this.position() * width);
    }
    context.drawImage(model, start, 0, width - start, height, start, 0, width - start, height);
  }

  private async fetch(): Promise<FaceDescription> {
    this.image.src = this.photoUrl;
    const [answer] = await Promise.all([fetch(this.jsonUrl), this.image.decode()]);
    return (await answer.json()) as FaceDescription;
  }

  /** Lay the photo behind the model, and look at the model as the photo's camera did. */
  private lay(): void {
    const { clientWidth, clientHeight } = this.stage.canvas.parentElement!;
    this.region = regionAround(this.face!, clientWidth / clientHeight);
    const { left, top, width } = this.region;
    const scale = clientWidth / width;
    this.image.style.width = `${this.face!.photo.width * scale}px`;
    this.image.style.transform = `translate(${-left * scale}px, ${-top * scale}px)`;
    this.image.hidden = this.line.hidden = false;
    this.stage.lookThrough(photoCamera(this.face!, this.region));
    this.cut();
  }

  private clear(): void {
    this.region = undefined;
    this.image.hidden = this.line.hidden = true;
    this.stage.lookThrough(undefined);
    this.stage.canvas.style.clipPath = "";
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
