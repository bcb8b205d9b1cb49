/** A head that moves as a file: glTF 2.0 in one binary, with tracks for ARKit's shapes and for the turn of the head. */

import { Euler, Quaternion } from "three";
import type { Basis } from "./basis";

export interface Motion {
  readonly times: readonly number[]; // seconds, growing
  readonly weights: readonly Float32Array[]; // in the order of the basis' targets
  readonly turns: readonly Float32Array[]; // radians about x, y, z
}

const FLOAT = 5126;
const SHORT = 5123; // unsigned
const BYTE = 5121; // unsigned
const VERTICES = 34962;
const INDICES = 34963;

/** The file of a head with these vertices at rest, in metres. */
export function animatedGlb(basis: Basis, rest: Float32Array, motion: Motion): Blob {
  const file = new Pieces();
  const attributes = {
    POSITION: file.accessor(rest, FLOAT, "VEC3", { target: VERTICES, bounds: true }),
    NORMAL: file.accessor(normals(rest, basis.triangles), FLOAT, "VEC3", { target: VERTICES }),
    COLOR_0: file.accessor(linear(basis.colours), BYTE, "VEC4", { target: VERTICES, normalized: true }),
  };
  const indices = file.accessor(basis.triangles, SHORT, "SCALAR", { target: INDICES });
  const targets = basis.targets.map((target) => ({ POSITION: file.sparse(basis.target(target), basis.count) }));
  const times = file.accessor(Float32Array.from(motion.times), FLOAT, "SCALAR", { bounds: true });
  const count = targets.length;
  const weights = Float32Array.from(motion.weights.flatMap((each) => [...each.subarray(0, count)]));
  const rotations = quaternions(motion.turns);
  const outputs = { weights: file.accessor(weights, FLOAT, "SCALAR"), rotation: file.accessor(rotations, FLOAT, "VEC4") };
  const paths = ["weights", "rotation"] as const;
  return file.pack({
    asset: { version: "2.0", generator: "deep3d" },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ name: "face", mesh: 0, rotation: [...rotations.subarray(0, 4)] }],
    meshes: [
      {
        name: "face",
        primitives: [{ attributes, indices, targets, material: 0 }],
        weights: [...weights.subarray(0, count)],
        extras: { targetNames: basis.targets.map(({ name }) => name) },
      },
    ],
    materials: [{ name: "face", pbrMetallicRoughness: { metallicFactor: 0, roughnessFactor: 0.7 } }],
    animations: [
      {
        name: "face",
        samplers: paths.map((path) => ({ input: times, output: outputs[path], interpolation: "LINEAR" })),
        channels: paths.map((path, sampler) => ({ sampler, target: { node: 0, path } })),
      },
    ],
  });
}

/** The buffer of the file as it grows, and what says what is in it. */
class Pieces {
  private readonly blocks: Uint8Array<ArrayBuffer>[] = [];
  private readonly views: object[] = [];
  private readonly accessors: object[] = [];
  private length = 0;

  accessor(
    values: Float32Array | Uint16Array | Uint8Array,
    componentType: number,
    type: "SCALAR" | "VEC3" | "VEC4",
    { target, bounds, normalized }: { target?: number; bounds?: boolean; normalized?: boolean } = {},
  ): number {
    const width = { SCALAR: 1, VEC3: 3, VEC4: 4 }[type];
    return this.add({
      bufferView: this.view(values, target),
      componentType,
      type,
      count: values.length / width,
      ...(normalized && { normalized }),
      ...(bounds && extremes(values, width)),
    });
  }

  /** Offsets of some of `count` vertices; the others stay. */
  sparse({ vertices, offsets }: { vertices: Uint16Array; offsets: Float32Array }, count: number): number {
    return this.add({
      componentType: FLOAT,
      type: "VEC3",
      count,
      sparse: {
        count: vertices.length,
        indices: { bufferView: this.view(vertices), componentType: SHORT },
        values: { bufferView: this.view(offsets) },
      },
      ...extremes(offsets, 3, 0),
    });
  }

  pack(document: object): Blob {
    const whole = { ...document, accessors: this.accessors, bufferViews: this.views, buffers: [{ byteLength: this.length }] };
    const text = new TextEncoder().encode(JSON.stringify(whole));
    const padded = new Uint8Array(Math.ceil(text.length / 4) * 4).fill(0x20);
    padded.set(text);
    const head = new DataView(new ArrayBuffer(20));
    const words = [0x46546c67, 2, 28 + padded.length + this.length, padded.length, 0x4e4f534a];
    words.forEach((word, at) => head.setUint32(4 * at, word, true));
    const chunk = new DataView(new ArrayBuffer(8));
    chunk.setUint32(0, this.length, true);
    chunk.setUint32(4, 0x004e4942, true);
    return new Blob([head, padded, chunk, ...this.blocks], { type: "model/gltf-binary" });
  }

  private view(values: Float32Array | Uint16Array | Uint8Array, target?: number): number {
    const block = new Uint8Array(Math.ceil(values.byteLength / 4) * 4);
    block.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    this.views.push({ buffer: 0, byteOffset: this.length, byteLength: values.byteLength, ...(target && { target }) });
    this.blocks.push(block);
    this.length += block.length;
    return this.views.length - 1;
  }

  private add(accessor: object): number {
    return this.accessors.push(accessor) - 1;
  }
}

/** `min` and `max` of each of so many numbers, and of another value if there is one. */
function extremes(values: ArrayLike<number>, width: number, also?: number): { min: number[]; max: number[] } {
  const min = new Array<number>(width).fill(also ?? Infinity);
  const max = new Array<number>(width).fill(also ?? -Infinity);
  for (let at = 0; at < values.length; at++) {
    min[at % width] = Math.min(min[at % width]!, values[at]!);
    max[at % width] = Math.max(max[at % width]!, values[at]!);
  }
  return { min, max };
}

/** Unit quaternions, each on the side of the one before it, so that what is between them is short. */
function quaternions(turns: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(4 * turns.length);
  let last = new Quaternion();
  turns.forEach((turn, at) => {
    const next = new Quaternion().setFromEuler(new Euler(turn[0]!, turn[1]!, turn[2]!, "ZYX")).normalize();
    if (next.dot(last) < 0) next.set(-next.x, -next.y, -next.z, -next.w);
    next.toArray(all, 4 * at);
    last = next;
  });
  return all;
}

function normals(shape: Float32Array, triangles: Uint16Array): Float32Array {
  const sums = new Float32Array(shape.length);
  const edge = (from: number, to: number, axis: number) => shape[3 * to + axis]! - shape[3 * from + axis]!;
  for (let at = 0; at < triangles.length; at += 3) {
    const [a, b, c] = [triangles[at]!, triangles[at + 1]!, triangles[at + 2]!];
    for (let axis = 0; axis < 3; axis++) {
      const [one, other] = [(axis + 1) % 3, (axis + 2) % 3];
      const across = edge(a, b, one) * edge(a, c, other) - edge(a, b, other) * edge(a, c, one);
      for (const corner of [a, b, c]) sums[3 * corner + axis]! += across;
    }
  }
  for (let at = 0; at < sums.length; at += 3) {
    const length = Math.hypot(sums[at]!, sums[at + 1]!, sums[at + 2]!);
    if (length > 0) for (let axis = 0; axis < 3; axis++) sums[at + axis]! /= length;
    else sums[at + 2] = 1;
  }
  return sums;
}

/** sRGB colours as glTF wants those of vertices: linear, with opacity, four bytes each. */
function linear(colours: Uint8Array): Uint8Array {
  const all = new Uint8Array((4 * colours.length) / 3).fill(255);
  for (let at = 0; at < colours.length; at++) {
    const value = colours[at]! / 255;
    const light = value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    all[4 * Math.floor(at / 3) + (at % 3)] = Math.round(255 * light);
  }
  return all;
}
