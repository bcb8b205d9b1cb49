/** The face of face.web.glb, and the expressions that all faces of its model share. */

import {
  BackSide,
  Box3,
  BufferAttribute,
  BufferGeometry,
  FrontSide,
  Mesh,
  MeshBasicMaterial,
  type Texture,
  Vector3,
} from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { fetchWhole } from "../fetching";
import { pause } from "./pauses";

/** Weight of each expression by its name; 0 is neutral, 1 is full. */
export type Expression = Readonly<Record<string, number>>;

/** Where one expression moves the few vertices that it moves. */
interface Target {
  readonly name: string;
  readonly vertices: Uint16Array;
  readonly offsets: Int16Array; // x, y, z of each of `vertices`, in steps
}

const LEAST_OPACITY = 0.3; // of hair that is drawn at all
const OPAQUE = 0.95; // from which it is seen from within

/** What the file says of itself in its asset. */
interface About {
  readonly expression: Expression; // the photo's
}

/**
 * A face whose expression can change.
 *
 * Everything is worked out for the vertices of the model, of which the file doubles those on the seams of the texture.
 * Expressions are added up here and not on the graphics card: shading needs the normals of the moved surface.
 */
export class Face {
  readonly texture: Texture;
  readonly bounds: Box3; // of the head as in the photo, and its hair
  readonly mesh: Mesh<BufferGeometry, MeshBasicMaterial>;
  private readonly numbers: Uint16Array; // the model vertex of each vertex of the file
  private readonly triangles: Uint32Array; // of model vertices
  private readonly photo: Float32Array; // model vertices as in the photo, metres
  private readonly base: Float32Array; // the same without any expression
  private readonly moved: Float32Array;
  private readonly normals: Float32Array;
  private targets: readonly Target[] = [];
  private step = 0;

  private constructor(
    source: Mesh<BufferGeometry, MeshBasicMaterial>,
    private readonly about: About,
    readonly others: readonly Mesh[], // hair and the like, which do not move
  ) {
    const from = source.geometry;
    const vertex = from.getAttribute("_vertex");
    this.numbers = Uint16Array.from({ length: vertex.count }, (_, i) => vertex.getX(i));
    const count = 1 + this.numbers.reduce((most, each) => Math.max(most, each), 0);
    this.photo = positions(source, this.numbers, count);
    this.base = this.photo.slice();
    this.moved = this.photo.slice();
    this.normals = new Float32Array(3 * count);
    this.triangles = Uint32Array.from(from.index!.array, (corner) => this.numbers[corner]!);
    const geometry = new BufferGeometry();
    geometry.setIndex(from.index);
    geometry.setAttribute("uv", from.getAttribute("uv"));
    for (const name of ["position", "normal"]) {
      geometry.setAttribute(name, new BufferAttribute(new Float32Array(3 * this.numbers.length), 3));
    }
    if (!source.material.map) throw new Error("the face has no texture");
    this.texture = source.material.map;
    this.mesh = new Mesh(geometry, source.material);
    this.bounds = new Box3().setFromArray(this.photo);
    for (const other of others) this.bounds.expandByObject(other);
  }

  /** The face of a file. */
  static async read(buffer: ArrayBuffer): Promise<Face> {
    const { scene, asset } = await new GLTFLoader().parseAsync(buffer, "");
    await pause();
    scene.updateMatrixWorld(true);
    const meshes: Mesh[] = [];
    scene.traverse((child) => child instanceof Mesh && meshes.push(child));
    const [face, ...others] = meshes;
    for (const hair of [...others]) others.push(inside(hair));
    if (!face) throw new Error("the file holds no mesh");
    const made = new Face(face as Mesh<BufferGeometry, MeshBasicMaterial>, asset.extras as About, others);
    await pause();
    made.show();
    return made;
  }

  get photoExpression(): Expression {
    return this.about.expression;
  }

  /** Whether expressions have been fetched. */
  get canMove(): boolean {
    return this.targets.length > 0;
  }

  /**
   * Fetch the expressions. They may be those of a later model, which moves the same vertices under the same numbers and
   * has further ones.
   */
  async learn(url: string): Promise<void> {
    const buffer = await fetchWhole(url, 0, () => {});
    const length = new DataView(buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as {
      step: number;
      targets: { name: string; count: number }[];
    };
    let at = 4 + length;
    this.targets = header.targets.map(({ name, count }) => {
      const vertices = new Uint16Array(buffer.slice(at, at + 2 * count));
      const offsets = new Int16Array(buffer.slice(at + 2 * count, at + 8 * count));
      at += 8 * count;
      return { name, vertices, offsets };
    });
    this.step = header.step;
    add(this.base, this.targets, this.photoExpression, -this.step);
  }

  /** Move the face into an expression; what it does not name is neutral. */
  express(expression: Expression): void {
    if (!this.canMove) return;
    this.moved.set(this.base);
    add(this.moved, this.targets, expression, this.step);
    this.show();
  }

  /** How deep each vertex of the file lies in folds, in [0, 1]: 1 is open, as of the photo's expression. */
  openness(): Float32Array {
    const open = cavities(this.photo, this.triangles, this.normals);
    return Float32Array.from(this.numbers, (vertex) => open[vertex]!);
  }

  private show(): void {
    smoothNormals(this.moved, this.triangles, this.normals);
    for (const [name, values] of [["position", this.moved], ["normal", this.normals]] as const) {
      const attribute = this.mesh.geometry.getAttribute(name) as BufferAttribute;
      const array = attribute.array as Float32Array;
      for (let i = 0; i < this.numbers.length; i++) {
        const from = 3 * this.numbers[i]!;
        array[3 * i] = values[from]!;
        array[3 * i + 1] = values[from + 1]!;
        array[3 * i + 2] = values[from + 2]!;
      }
      attribute.needsUpdate = true;
    }
  }
}

/**
 * Let hair show the photo's colours as they are, and give what is seen of it from within, behind the clear tips of nearer
 * hair: what is opaque, as in the pictures that the server draws.
 */
function inside(hair: Mesh): Mesh {
  const outer = hair.material as MeshBasicMaterial;
  Object.assign(outer, { toneMapped: false, side: FrontSide, depthWrite: true, alphaTest: LEAST_OPACITY });
  const inner = outer.clone();
  Object.assign(inner, { transparent: false, side: BackSide, alphaTest: OPAQUE });
  const mesh = new Mesh(hair.geometry, inner);
  mesh.applyMatrix4(hair.matrixWorld);
  return mesh;
}

/** Positions of the model's vertices in metres: the file has them as whole numbers, which its node scales. */
function positions(source: Mesh, numbers: Uint16Array, count: number): Float32Array {
  const attribute = source.geometry.getAttribute("position");
  const place = new Vector3();
  const result = new Float32Array(3 * count);
  for (let i = 0; i < numbers.length; i++) {
    place.fromBufferAttribute(attribute, i).applyMatrix4(source.matrixWorld).toArray(result, 3 * numbers[i]!);
  }
  return result;
}

function add(positions: Float32Array, targets: readonly Target[], expression: Expression, step: number): void {
  for (const { name, vertices, offsets } of targets) {
    const weight = step * (expression[name] ?? 0);
    if (weight === 0) continue;
    for (let i = 0; i < vertices.length; i++) {
      const at = 3 * vertices[i]!;
      if (at >= positions.length) continue;
      for (let axis = 0; axis < 3; axis++) positions[at + axis]! += weight * offsets[3 * i + axis]!;
    }
  }
}

/** Normals of the surface, those of the triangles around a vertex weighted by their areas. */
function smoothNormals(positions: Float32Array, triangles: Uint32Array, normals: Float32Array): void {
  normals.fill(0);
  for (let corner = 0; corner < triangles.length; corner += 3) {
    const a = 3 * triangles[corner]!;
    const b = 3 * triangles[corner + 1]!;
    const c = 3 * triangles[corner + 2]!;
    const ux = positions[b]! - positions[a]!;
    const uy = positions[b + 1]! - positions[a + 1]!;
    const uz = positions[b + 2]! - positions[a + 2]!;
    const vx = positions[c]! - positions[a]!;
    const vy = positions[c + 1]! - positions[a + 1]!;
    const vz = positions[c + 2]! - positions[a + 2]!;
    for (const at of [a, b, c]) {
      normals[at]! += uy * vz - uz * vy;
      normals[at + 1]! += uz * vx - ux * vz;
      normals[at + 2]! += ux * vy - uy * vx;
    }
  }
  for (let at = 0; at < normals.length; at += 3) {
    const length = Math.hypot(normals[at]!, normals[at + 1]!, normals[at + 2]!) || 1;
    for (let axis = 0; axis < 3; axis++) normals[at + axis]! /= length;
  }
}

const SMOOTHINGS = [4, 16, 48]; // steps of smoothing; the more, the wider the folds that are seen
const DEEPEST = 0.006; // metres below the smoothed surface, at which a fold is as dark as it gets
const DARKEST = 0.55;

/** How open each vertex lies: it is dark where the smoothed surface lies above it, as in nostrils and folds. */
function cavities(positions: Float32Array, triangles: Uint32Array, normals: Float32Array): Float32Array {
  const count = positions.length / 3;
  const depth = new Float32Array(count);
  let smooth = positions;
  let done = 0;
  for (const steps of SMOOTHINGS) {
    for (; done < steps; done++) smooth = smoothed(smooth, triangles);
    for (let v = 0; v < count; v++) {
      let above = 0;
      for (let axis = 0; axis < 3; axis++) above += (smooth[3 * v + axis]! - positions[3 * v + axis]!) * normals[3 * v + axis]!;
      depth[v] = Math.max(depth[v]!, above);
    }
  }
  return depth.map((each) => 1 - DARKEST * Math.min(1, each / DEEPEST));
}

/** Each vertex in the middle of its neighbours. */
function smoothed(positions: Float32Array, triangles: Uint32Array): Float32Array {
  const sums = new Float32Array(positions.length);
  const counts = new Float32Array(positions.length / 3);
  for (let corner = 0; corner < triangles.length; corner += 3) {
    for (let i = 0; i < 3; i++) {
      const to = triangles[corner + i]!;
      const from = triangles[corner + ((i + 1) % 3)]!;
      counts[to]!++;
      for (let axis = 0; axis < 3; axis++) sums[3 * to + axis]! += positions[3 * from + axis]!;
    }
  }
  return sums.map((sum, at) => (counts[Math.floor(at / 3)] ? sum / counts[Math.floor(at / 3)]! : positions[at]!));
}
