/** Curves that are recorded here, in the browser, and saved as files that other programs read. */

import type { Answer } from "./link";
import type { Basis } from "./basis";
import { animatedGlb } from "./glb";

const LONGEST = 36_000; // frames, twenty minutes at most rates

interface Moment {
  readonly at: number; // seconds
  readonly weights: Float32Array;
  readonly turn: Float32Array;
  readonly eyes: Float32Array;
}

export class Recording {
  private readonly moments: Moment[] = [];
  private identity = new Float32Array(80);

  /** How many seconds there are. */
  get seconds(): number {
    const [first, last] = [this.moments[0], this.moments.at(-1)];
    return first && last ? last.at - first.at : 0;
  }

  get empty(): boolean {
    return this.moments.length === 0;
  }

  clear(): void {
    this.moments.length = 0;
  }

  become(identity: Float32Array): void {
    this.identity = identity.slice();
  }

  add({ weights, turn, eyes }: Answer, milliseconds: number): void {
    if (this.moments.length >= LONGEST) return;
    this.moments.push({ at: milliseconds / 1000, weights: weights.slice(), turn: turn.slice(), eyes: eyes.slice() });
  }

  /** A row for each frame: seconds, the head's turns in degrees, ARKit's shapes, the turns of the eyes in degrees. */
  csv(basis: Basis): Blob {
    const names = basis.targets.map(({ name }) => name);
    const eyes = ["leftEyeYaw", "leftEyePitch", "rightEyeYaw", "rightEyePitch"];
    const lines = this.moments.map(({ at, weights, turn, eyes }) =>
      [
        (at - this.moments[0]!.at).toFixed(3),
        ...[turn[1]!, -turn[0]!, -turn[2]!].map((each) => degrees(each).toFixed(3)),
        ...[...weights].map((each) => each.toFixed(4)),
        ...[...eyes].map((each) => degrees(each).toFixed(3)),
      ].join(","),
    );
    const head = ["time_s", "yaw", "pitch", "roll", ...names, "tongueOut", ...eyes].join(",");
    return new Blob([[head, ...lines, ""].join("\n")], { type: "text/csv" });
  }

  /** The head with an animation of its expressions and turns. */
  glb(basis: Basis): Blob {
    const first = this.moments[0]!.at;
    return animatedGlb(basis, basis.neutral(this.identity), {
      times: this.moments.map(({ at }) => at - first),
      weights: this.moments.map(({ weights }) => weights),
      turns: this.moments.map(({ turn }) => turn),
    });
  }
}

/** Let the browser keep a file. */
export function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}
