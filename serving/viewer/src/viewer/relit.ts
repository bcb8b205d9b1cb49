/** What the face is made of, without the light of its photo, and surroundings that it was never in. */

import {
  Color,
  DataTexture,
  DataUtils,
  EquirectangularReflectionMapping,
  HalfFloatType,
  LinearFilter,
  LinearSRGBColorSpace,
  Mesh,
  type MeshPhysicalMaterial,
  RGBAFormat,
} from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { fetchMade, fetchWhole } from "../fetching";

/** One of the preset lights: a panorama, and the lamp that stands for its brightest part, as only lamps cast shadows. */
export interface Surroundings {
  readonly panorama: DataTexture;
  readonly color: Color; // of the lamp
  readonly side: number; // degrees, to the right of the front view
  readonly height: number; // degrees
}

/** What face_material.web.glb holds. */
export interface Bare {
  readonly skin: MeshPhysicalMaterial;
  readonly hair: Color; // what the photo's colours of hair are multiplied by
}

/** The face without the light of its photo; a worker makes it when it is first asked for. */
export async function fetchBare(url: string, tellWaiting: () => void): Promise<Bare> {
  const answer = await fetchMade(url, tellWaiting);
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const { scene, asset } = await new GLTFLoader().parseAsync(await answer.arrayBuffer(), "");
  let skin: MeshPhysicalMaterial | undefined;
  scene.traverse((child) => {
    if (child instanceof Mesh) skin ??= child.material as MeshPhysicalMaterial;
  });
  if (!skin) throw new Error("the file holds no mesh");
  skin.flatShading = false; // the file has no normals: the viewer works them out
  return { skin, hair: new Color(...(asset.extras as { hair: [number, number, number] }).hair) };
}

/** All surroundings, by name. */
export async function fetchSurroundings(url: string): Promise<ReadonlyMap<string, Surroundings>> {
  const buffer = await fetchWhole(url, 0, () => {});
  const length = new DataView(buffer).getUint32(0, true);
  const { names, height, width } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as {
    names: string[];
    height: number;
    width: number;
  };
  const size = 4 * height * width;
  return new Map(
    names.map((name, i) => [name, surroundings(new Uint16Array(buffer, 4 + length + 2 * i * size, size), width, height)]),
  );
}

function surroundings(pixels: Uint16Array, width: number, height: number): Surroundings {
  const panorama = new DataTexture(pixels, width, height, RGBAFormat, HalfFloatType, EquirectangularReflectionMapping);
  panorama.magFilter = panorama.minFilter = LinearFilter;
  panorama.colorSpace = LinearSRGBColorSpace;
  panorama.needsUpdate = true;
  const light = (at: number) => [0, 1, 2].map((channel) => DataUtils.fromHalfFloat(pixels[4 * at + channel]!));
  const grey = (at: number) => light(at).reduce((sum, each) => sum + each);
  let brightest = 0;
  for (let at = 1; at < width * height; at++) if (grey(at) > grey(brightest)) brightest = at;
  const [red, green, blue] = light(brightest) as [number, number, number];
  const most = Math.max(red, green, blue, 1e-6);
  const side = (360 * ((brightest % width) + 0.5)) / width - 270; // what is before the face is at three quarters
  return {
    panorama,
    color: new Color(red / most, green / most, blue / most),
    side: -(side < -180 ? side + 360 : side),
    height: (180 * (Math.floor(brightest / width) + 0.5)) / height - 90,
  };
}
