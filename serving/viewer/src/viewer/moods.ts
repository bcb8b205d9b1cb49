/** The chips of expressions: each moves the face into one in a moment, a second press goes back to the photo's. */

import type { Expression } from "./face";
import type { ExpressionSliders } from "./expressions";

const MOVE_MS = 350;
const SYLLABLE_MS = 170; // of talking
const TALK_MS = 3200;

const both = (name: string, weight: number): Expression => ({ [`${name}Left`]: weight, [`${name}Right`]: weight });

const MOODS: Readonly<Record<string, Expression>> = {
  smile: { ...both("mouthSmile", 0.85), ...both("cheekSquint", 0.45), ...both("eyeSquint", 0.25), ...both("mouthUpperUp", 0.15), jawOpen: 0.06 },
  surprise: { jawOpen: 0.5, browInnerUp: 0.9, ...both("browOuterUp", 0.8), ...both("eyeWide", 0.7), mouthFunnel: 0.25 },
  wink: { eyeBlinkLeft: 1, cheekSquintLeft: 0.6, browDownLeft: 0.25, mouthSmileLeft: 0.7, mouthSmileRight: 0.35, browOuterUpRight: 0.4 },
  kiss: { mouthPucker: 0.95, mouthFunnel: 0.15, ...both("eyeBlink", 0.55), browInnerUp: 0.2 },
  angry: { ...both("browDown", 0.95), ...both("eyeSquint", 0.5), ...both("noseSneer", 0.6), ...both("mouthFrown", 0.5), ...both("mouthPress", 0.35), jawForward: 0.2 },
};

/** Mouth shapes of speech, in the order in which they come. */
const SYLLABLES: readonly Expression[] = [
  { jawOpen: 0.28, ...both("mouthLowerDown", 0.2) },
  { mouthFunnel: 0.5, jawOpen: 0.14 },
  { ...both("mouthPress", 0.3), mouthRollLower: 0.2 },
  { jawOpen: 0.18, ...both("mouthStretch", 0.3), ...both("mouthSmile", 0.2) },
  { mouthPucker: 0.5, jawOpen: 0.08 },
  { jawOpen: 0.36, browInnerUp: 0.25 },
  { ...both("mouthLowerDown", 0.35), ...both("mouthUpperUp", 0.2), jawOpen: 0.1 },
];

export class Moods {
  private frame = 0;
  private readonly chips: readonly HTMLButtonElement[];

  constructor(
    form: HTMLFormElement,
    private readonly sliders: ExpressionSliders,
    private readonly photo: Expression,
  ) {
    this.chips = [...form.querySelectorAll<HTMLButtonElement>("[data-mood]")];
    for (const chip of this.chips) chip.addEventListener("click", () => this.press(chip));
    form.addEventListener("input", (event) => (event.target as HTMLElement).dataset.expression && this.mark(undefined));
  }

  /** Move into an expression; no chip stands for it. */
  show(expression: Expression): void {
    this.mark(undefined);
    this.moveTo(expression, MOVE_MS);
  }

  private press(chip: HTMLButtonElement): void {
    const again = chip.getAttribute("aria-pressed") === "true";
    this.mark(again ? undefined : chip);
    if (again) this.moveTo(this.photo, MOVE_MS);
    else if (chip.dataset.mood === "talk") this.talk(chip);
    else this.moveTo(MOODS[chip.dataset.mood!] ?? {}, MOVE_MS);
  }

  private mark(pressed: HTMLButtonElement | undefined): void {
    for (const chip of this.chips) chip.setAttribute("aria-pressed", String(chip === pressed));
  }

  private talk(chip: HTMLButtonElement): void {
    const end = performance.now() + TALK_MS;
    let number = 0;
    const next = () => {
      if (performance.now() > end) {
        this.mark(undefined);
        return this.moveTo(this.photo, MOVE_MS);
      }
      this.moveTo(SYLLABLES[number++ % SYLLABLES.length]!, SYLLABLE_MS, () => chip.ariaPressed === "true" && next());
    };
    next();
  }

  private moveTo(to: Expression, duration: number, then?: () => void): void {
    const from = this.sliders.expression;
    const start = performance.now();
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    cancelAnimationFrame(this.frame);
    const step = (now: number) => {
      const time = still ? 1 : Math.min(Math.max((now - start) / duration, 0), 1);
      const part = time * time * (3 - 2 * time);
      const names = new Set([...Object.keys(from), ...Object.keys(to)]);
      const between = [...names].map((name) => {
        const [a, b] = [from[name] ?? 0, to[name] ?? 0];
        return [name, a + (b - a) * part] as const;
      });
      this.sliders.set(Object.fromEntries(between));
      if (time < 1) this.frame = requestAnimationFrame(step);
      else then?.();
    };
    this.frame = requestAnimationFrame(step);
  }
}
