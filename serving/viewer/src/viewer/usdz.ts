/** The head as a USDZ file (Pixar's USD in a zip), which iPhones show in one's own room (Quick Look). */

import { BackSide, Color, Group, type Material, Mesh, MeshStandardMaterial, type Texture } from "three";
import { USDZExporter } from "three/addons/exporters/USDZExporter.js";
import type { Face } from "./face";

const LEAST_OPACITY = 0.5; // of hair that is seen: the format has no order in which clear things are drawn
const LARGEST_TEXTURE = 1024;

/** A file of the face as it is now, in the photo's colours, and of its hair. */
export async function usdz(face: Face): Promise<Blob> {
  const head = new Group();
  head.add(shown(face.mesh, face.texture, 0));
  for (const other of face.others) {
    const material = other.material as Material & { map?: Texture };
    if (material.map && material.side !== BackSide) head.add(shown(other, material.map, LEAST_OPACITY));
  }
  head.updateMatrixWorld(true);
  const content = await new USDZExporter().parseAsync(head, { maxTextureSize: LARGEST_TEXTURE, quickLookCompatible: true });
  return new Blob([content], { type: "model/vnd.usdz+zip" });
}

/** A mesh that glows in the colours of a picture: the light of the photo is in them. */
function shown(source: Mesh, map: Texture, alphaTest: number): Mesh {
  const geometry = source.geometry.clone();
  if (!geometry.hasAttribute("normal")) geometry.computeVertexNormals();
  const colours = { map, color: new Color(0, 0, 0), emissiveMap: map, emissive: new Color(1, 1, 1) };
  const mesh = new Mesh(geometry, new MeshStandardMaterial({ ...colours, alphaTest, roughness: 1 }));
  mesh.applyMatrix4(source.matrixWorld);
  return mesh;
}
