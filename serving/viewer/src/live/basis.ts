/** The face model in the browser: any face from its coefficients. The file is that of `deep3d.basis_file`. */

import { Box3, BufferAttribute, BufferGeometry, Mesh, MeshPhysicalMaterial, SRGBColorSpace, Color } from "three";
import { fetchWhole } from "../fetching";

/** One of ARKit's shapes: the sum of some of the model's expressions. */
export interface Target {
  readonly name: string;
  readonly components: readonly number[];
}

interface Header {
  readonly model: string;
  readonly step: number;
  readonly vertices: number;
  readonly triangles: number;
  readonly identity: readonly number[];
  readonly expression: readonly number[];
  readonly targets: readonly Target[];
}

/** Where one expression moves the few vertices that it moves. */
interface Movement {
  readonly vertices: Uint16Array;
  readonly offsets: Int16Array; // x, y, z of each of `vertices`, in steps
}

export class Basis {
  readonly model: string;
  readonly count: number; // vertices
  readonly targets: readonly Target[];
  readonly triangles: Uint16Array;
  readonly colours: Uint8Array; // of each vertex, sRGB
  private readonly header: Header;
  private readonly mean: Float32Array; // metres
  private readonly movements: readonly Movement[];
  private readonly identity: Int8Array;

  constructor(buffer: ArrayBuffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as Header;
    let at = 4 + length;
    const take = (bytes: number) => buffer.slice(at, (at += bytes));
    const { vertices, step } = header;
    this.header = header;
    [this.model, this.count, this.targets] = [header.model, vertices, header.targets];
    this.mean = Float32Array.from(new Int16Array(take(6 * vertices)), (each) => each * step);
    const moving = header.expression.map((count) => new Uint16Array(take(2 * count)));
    this.movements = moving.map((numbers) => ({ vertices: numbers, offsets: new Int16Array(take(6 * numbers.length)) }));
    this.triangles = new Uint16Array(take(6 * header.triangles));
    this.identity = new Int8Array(take(3 * vertices * header.identity.length));
    this.colours = new Uint8Array(take(3 * vertices));
  }

  static async load(url: string, bytes: number, tell: (part: number) => void): Promise<Basis> {
    return new Basis(await fetchWhole(url, bytes, tell));
  }

  /** The vertices of a person at rest, metres. */
  neutral(identity: ArrayLike<number>): Float32Array {
    const shape = this.mean.slice();
    this.header.identity.forEach((scale, component) => {
      const weight = scale * identity[component]!;
      for (let axis = 0; axis < 3; axis++) {
        const from = (3 * component + axis) * this.count;
        for (let n = 0, to = axis; n < this.count; n++, to += 3) shape[to]! += weight * this.identity[from + n]!;
      }
    });
    return shape;
  }

  /** Add an expression to vertices, in place. */
  move(shape: Float32Array, expression: ArrayLike<number>): void {
    this.movements.forEach((movement, component) => {
      const weight = this.header.step * expression[component]!;
      if (Math.abs(expression[component]!) < 1e-3) return;
      const { vertices, offsets } = movement;
      for (let n = 0; n < vertices.length; n++) {
        const to = 3 * vertices[n]!;
        for (let axis = 0; axis < 3; axis++) shape[to + axis]! += weight * offsets[3 * n + axis]!;
      }
    });
  }

  /** What one of ARKit's shapes moves at full strength: numbers of vertices, ascending, and offsets in metres. */
  target({ components }: Target): { vertices: Uint16Array; offsets: Float32Array } {
    const sums = new Map<number, [number, number, number]>();
    for (const component of components) {
      const { vertices, offsets } = this.movements[component]!;
      vertices.forEach((vertex, n) => {
        const sum = sums.get(vertex) ?? [0, 0, 0];
        for (let axis = 0; axis < 3; axis++) sum[axis]! += this.header.step * offsets[3 * n + axis]!;
        sums.set(vertex, sum);
      });
    }
    const vertices = Uint16Array.from([...sums.keys()].sort((one, other) => one - other));
    return { vertices, offsets: Float32Array.from([...vertices].flatMap((vertex) => sums.get(vertex)!)) };
  }
}

/** A head that moves, as a thing for the stage. */
export class LiveHead {
  readonly mesh: Mesh<BufferGeometry, MeshPhysicalMaterial>;
  readonly bounds: Box3;
  private neutral: Float32Array;

  constructor(private readonly basis: Basis) {
    this.neutral = basis.neutral(new Float32Array(80));
    const geometry = new BufferGeometry();
    geometry.setIndex(new BufferAttribute(basis.triangles, 1));
    geometry.setAttribute("position", new BufferAttribute(this.neutral.slice(), 3));
    geometry.setAttribute("color", new BufferAttribute(linearColours(basis.colours), 3));
    geometry.computeVertexNormals();
    this.mesh = new Mesh(geometry, new MeshPhysicalMaterial({ vertexColors: true, roughness: 0.6 }));
    this.mesh.frustumCulled = false; // its bounds move with it
    this.mesh.rotation.order = "ZYX";
    this.bounds = new Box3().setFromArray(this.neutral);
  }

  become(identity: ArrayLike<number>): void {
    this.neutral = this.basis.neutral(identity);
  }

  /** Show an expression and a turn of the head in radians about x, y and z. */
  show(expression: ArrayLike<number>, turn: ArrayLike<number>): void {
    const { position } = this.mesh.geometry.attributes as { position: BufferAttribute };
    (position.array as Float32Array).set(this.neutral);
    this.basis.move(position.array as Float32Array, expression);
    position.needsUpdate = true;
    this.mesh.geometry.computeVertexNormals();
    this.mesh.rotation.set(turn[0]!, turn[1]!, turn[2]!);
  }
}

/** Colours of vertices as three.js works with them. */
function linearColours(bytes: Uint8Array): Float32Array {
  const linear = new Float32Array(bytes.length);
  const colour = new Color();
  for (let at = 0; at < bytes.length; at += 3) {
    colour.setRGB(bytes[at]! / 255, bytes[at + 1]! / 255, bytes[at + 2]! / 255, SRGBColorSpace).toArray(linear, at);
  }
  return linear;
}
