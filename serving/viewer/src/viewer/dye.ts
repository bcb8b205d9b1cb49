/** Hair in another colour: its light and dark stay, as a dye leaves them. */

import { CanvasTexture, Color, type Mesh, type MeshBasicMaterial, type MeshPhysicalMaterial, SRGBColorSpace, type Texture } from "three";

const OPAQUE = 128; // of 255: clear texels have no say in how bright the hair is
const BRIGHTEST = 2.2; // times the mean brightness: highlights that a light dye would burn out

/** Dyes the pictures on some meshes, which are all of the same hair. */
export class Dye {
  private readonly own: (Texture | null)[];
  private readonly materials: (MeshBasicMaterial | MeshPhysicalMaterial)[];

  constructor(hair: readonly Mesh[]) {
    this.materials = hair.map((each) => each.material as MeshBasicMaterial);
    this.own = this.materials.map((each) => each.map);
  }

  /** Dye further materials of the same hair, which show it as the others do now. */
  also(materials: readonly MeshPhysicalMaterial[]): void {
    this.own.push(...materials.map(() => this.own[0] ?? null));
    this.materials.push(...materials);
  }

  /** Use a CSS colour, or the hair's own. */
  use(colour: string | undefined): void {
    const dyed = colour && this.own[0] ? dyedCopy(this.own[0], new Color(colour)) : undefined;
    this.materials.forEach((material, at) => {
      if (material.map && material.map !== this.own[at] && material.map !== dyed) material.map.dispose();
      material.map = dyed ?? this.own[at] ?? null;
    });
  }
}

function dyedCopy(source: Texture, colour: Color): Texture {
  const image = source.image as ImageBitmap;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d")!;
  context.drawImage(image, 0, 0);
  const picture = context.getImageData(0, 0, canvas.width, canvas.height);
  const mean = meanBrightness(picture.data);
  const { r, g, b } = colour.getRGB({ r: 0, g: 0, b: 0 }, SRGBColorSpace);
  for (let at = 0; at < picture.data.length; at += 4) {
    const share = Math.min(brightness(picture.data, at) / mean, BRIGHTEST);
    [r, g, b].forEach((channel, k) => (picture.data[at + k] = 255 * channel * share));
  }
  context.putImageData(picture, 0, 0);
  const dyed = new CanvasTexture(canvas);
  dyed.colorSpace = SRGBColorSpace;
  dyed.flipY = source.flipY;
  dyed.channel = source.channel;
  [dyed.wrapS, dyed.wrapT, dyed.minFilter] = [source.wrapS, source.wrapT, source.minFilter];
  return dyed;
}

function brightness(data: Uint8ClampedArray, at: number): number {
  return 0.3 * data[at]! + 0.59 * data[at + 1]! + 0.11 * data[at + 2]!;
}

function meanBrightness(data: Uint8ClampedArray): number {
  let sum = 0;
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3]! < OPAQUE) continue;
    sum += brightness(data, at);
    count++;
  }
  return Math.max(sum / Math.max(count, 1), 1);
}
