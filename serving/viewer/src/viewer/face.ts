/** The face of a GLB file: its mesh, and expressions as weights of its morph targets. */

import { Box3, type BufferAttribute, type BufferGeometry, Mesh, type Texture, type MeshBasicMaterial } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

/** Weight of each morph target by its name; 0 is neutral, 1 is full. */
export type Expression = Readonly<Record<string, number>>;

/** Where one morph target moves the few vertices that it moves. */
interface Target {
  readonly name: string;
  readonly vertices: Uint32Array;
  readonly offsets: Float32Array; // x, y, z of each of `vertices`, metres
}

/**
 * A face whose expression can change.
 *
 * Targets are added up here and not on the graphics card, because shading needs the normals of the moved surface and
 * the file has only those of the base mesh; with sparse targets that costs two or three milliseconds.
 */
export class Face {
  readonly texture: Texture;
  private readonly base: Float32Array;
  private readonly targets: readonly Target[];
  private readonly welded: Uint32Array;
  readonly photoExpression: Expression;
  readonly bounds: Box3; // of the head as in the photo

  constructor(readonly mesh: Mesh<BufferGeometry, MeshBasicMaterial>) {
    const geometry = mesh.geometry;
    const names = Object.keys(mesh.morphTargetDictionary ?? {});
    const weights = mesh.morphTargetInfluences ?? [];
    const deltas = geometry.morphAttributes.position ?? [];
    this.base = (geometry.getAttribute("position").array as Float32Array).slice();
    this.targets = names.map((name, number) => sparse(name, deltas[number]!.array as Float32Array));
    this.photoExpression = Object.fromEntries(names.map((name, number) => [name, weights[number] ?? 0]));
    this.welded = weld(this.base);
    if (!mesh.material.map) throw new Error("the face has no texture");
    this.texture = mesh.material.map;
    geometry.morphAttributes = {};
    mesh.updateMorphTargets();
    this.express(this.photoExpression);
    this.bounds = new Box3().setFromBufferAttribute(geometry.getAttribute("position") as BufferAttribute);
  }

  static async load(url: string): Promise<Face> {
    const { scene } = await new GLTFLoader().loadAsync(url);
    let face: Mesh | undefined;
    scene.traverse((child) => {
      if (child instanceof Mesh) face ??= child;
    });
    if (!face) throw new Error("the file holds no mesh");
    return new Face(face as Mesh<BufferGeometry, MeshBasicMaterial>);
  }

  /** Move the face into an expression; targets that it does not name are neutral. */
  express(expression: Expression): void {
    const position = this.mesh.geometry.getAttribute("position");
    const normal = this.mesh.geometry.getAttribute("normal");
    const moved = position.array as Float32Array;
    moved.set(this.base);
    for (const { name, vertices, offsets } of this.targets) {
      const weight = expression[name] ?? 0;
      if (weight === 0) continue;
      for (let i = 0; i < vertices.length; i++) {
        const at = 3 * vertices[i]!;
        for (let axis = 0; axis < 3; axis++) moved[at + axis]! += weight * offsets[3 * i + axis]!;
      }
    }
    smoothNormals(moved, this.mesh.geometry.index!.array, this.welded, normal.array as Float32Array);
    position.needsUpdate = true;
    normal.needsUpdate = true;
  }
}

function sparse(name: string, dense: Float32Array): Target {
  const vertices: number[] = [];
  const offsets: number[] = [];
  for (let at = 0; at < dense.length; at += 3) {
    const [x, y, z] = [dense[at]!, dense[at + 1]!, dense[at + 2]!];
    if (x === 0 && y === 0 && z === 0) continue;
    vertices.push(at / 3);
    offsets.push(x, y, z);
  }
  return { name, vertices: new Uint32Array(vertices), offsets: new Float32Array(offsets) };
}

/** For each vertex the first one at the same place: the file doubles vertices on the seams of the texture. */
function weld(positions: Float32Array): Uint32Array {
  const first = new Map<string, number>();
  const welded = new Uint32Array(positions.length / 3);
  for (let vertex = 0; vertex < welded.length; vertex++) {
    const place = positions.subarray(3 * vertex, 3 * vertex + 3).join();
    if (!first.has(place)) first.set(place, vertex);
    welded[vertex] = first.get(place)!;
  }
  return welded;
}

/** Normals of the surface, those of the triangles around a vertex weighted by their areas. */
function smoothNormals(
  positions: Float32Array,
  triangles: ArrayLike<number>,
  welded: Uint32Array,
  normals: Float32Array,
): void {
  normals.fill(0);
  for (let corner = 0; corner < triangles.length; corner += 3) {
    const a = 3 * welded[triangles[corner]!]!;
    const b = 3 * welded[triangles[corner + 1]!]!;
    const c = 3 * welded[triangles[corner + 2]!]!;
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
  for (let vertex = 0; vertex < welded.length; vertex++) {
    const from = 3 * welded[vertex]!; // never after `vertex`, so it is already of unit length when it is another one
    const length = Math.hypot(normals[from]!, normals[from + 1]!, normals[from + 2]!) || 1;
    for (let axis = 0; axis < 3; axis++) normals[3 * vertex + axis] = normals[from + axis]! / length;
  }
}
