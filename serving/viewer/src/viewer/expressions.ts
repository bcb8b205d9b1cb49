/** The expression sliders: one for each morph target, pairs of left and right moved together if wanted. */

import type { Expression, Face } from "./face";
import type { Stage } from "./stage";

export class ExpressionSliders {
  private readonly sliders: readonly HTMLInputElement[];
  private shown: readonly string[] = []; // what the sliders said when the face was moved last

  constructor(
    private readonly form: HTMLFormElement,
    private readonly face: Face,
    private readonly stage: Stage,
  ) {
    this.sliders = [...form.querySelectorAll<HTMLInputElement>("[data-expression]")];
    form.addEventListener("input", (event) => {
      const moved = event.target as HTMLInputElement;
      if (moved.dataset.expression) this.follow(moved);
    });
    form.addEventListener("change", () => this.pair());
    this.set(face.photoExpression);
    this.shown = this.sliders.map((each) => each.value);
    this.pair();
  }

  /** Move all sliders and the face. */
  set(expression: Expression): void {
    for (const slider of this.sliders) slider.value = String(expression[slider.dataset.expression!] ?? 0);
    this.express();
  }

  /** What the sliders say. */
  get expression(): Expression {
    return Object.fromEntries(this.sliders.map((each) => [each.dataset.expression!, Number(each.value)]));
  }

  private get together(): boolean {
    return (this.form.elements.namedItem("both-sides") as HTMLInputElement).checked;
  }

  /** With both sides together only the first slider of a pair is seen, and stands for both. */
  private pair(): void {
    for (const slider of this.sliders) {
      const second = this.partner(slider)?.compareDocumentPosition(slider) === Node.DOCUMENT_POSITION_FOLLOWING;
      slider.closest<HTMLElement>("[data-slider]")!.hidden = second && this.together;
    }
    this.form.toggleAttribute("data-together", this.together);
  }

  private follow(moved: HTMLInputElement): void {
    const partner = this.together ? this.partner(moved) : undefined;
    if (partner) partner.value = moved.value;
    this.express();
  }

  /** The slider of the other side, where left and right move apart. */
  private partner(slider: HTMLInputElement): HTMLInputElement | undefined {
    const movement = slider.closest("[data-movement]")!;
    return this.sliders.find((each) => each !== slider && movement.contains(each));
  }

  /** Move the face as the sliders say, as far as it does not stand so already. */
  express(): void {
    const values = this.sliders.map((each) => each.value);
    if (!this.face.canMove || values.every((value, number) => value === this.shown[number])) return;
    this.shown = values;
    this.face.express(this.expression);
    this.stage.wake();
  }
}
