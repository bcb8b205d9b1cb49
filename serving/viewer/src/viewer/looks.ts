/** The looks of a face: what its surface shows. */

import {
  Color,
  DirectionalLight,
  Group,
  HemisphereLight,
  type Material,
  Mesh,
  MeshBasicMaterial,
  MeshNormalMaterial,
  MeshStandardMaterial,
  SRGBColorSpace,
  type Texture,
  TextureLoader,
  Vector3,
} from "three";
import type { Face } from "./face";

export type Look = "texture" | "clay" | "wireframe" | "albedo" | "normals";

const CLAY = new Color("#c9b8a8");
const INK = new Color("#22302f");
const PAPER = new Color("#f4f1ec");
const LIGHT_DISTANCE = 2; // metres; only the direction matters

/** Dresses a face in one look after another, and holds the light that clay and albedo stand in. */
export class Wardrobe {
  readonly group = new Group();
  private readonly wires: Mesh;
  private readonly lamp = new DirectionalLight(0xffffff, 2.8);
  private readonly materials: Record<Exclude<Look, "albedo">, Material>;
  private albedo?: MeshStandardMaterial;

  constructor(
    private readonly face: Face,
    private readonly albedoUrl: string,
  ) {
    this.materials = {
      texture: new MeshBasicMaterial({ map: face.texture }),
      clay: new MeshStandardMaterial({ color: CLAY, roughness: 0.75 }),
      wireframe: new MeshBasicMaterial({ color: PAPER, polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 }),
      normals: new MeshNormalMaterial(),
    };
    this.wires = new Mesh(
      face.mesh.geometry,
      new MeshBasicMaterial({ color: INK, wireframe: true, transparent: true, opacity: 0.45 }),
    );
    this.wires.visible = false;
    this.group.add(face.mesh, this.wires, new HemisphereLight(0xffffff, 0x8a7f76, 1.5), this.lamp);
    this.shineFrom(30, 35);
  }

  /** Whether the light matters to the look that is on. */
  get lit(): boolean {
    return this.face.mesh.material as Material instanceof MeshStandardMaterial;
  }

  /** Put a look on; the albedo is fetched when it is first asked for. */
  async wear(look: Look): Promise<void> {
    this.face.mesh.material = (look === "albedo" ? await this.albedoMaterial() : this.materials[look]) as MeshBasicMaterial;
    this.wires.visible = look === "wireframe";
  }

  /** Let the light come from the right of the front view (degrees, negative: left) and from a height (degrees). */
  shineFrom(side: number, height: number): void {
    const [azimuth, elevation] = [(side * Math.PI) / 180, (height * Math.PI) / 180];
    this.lamp.position.copy(new Vector3().setFromSphericalCoords(LIGHT_DISTANCE, Math.PI / 2 - elevation, azimuth));
  }

  private async albedoMaterial(): Promise<Material> {
    if (!this.albedo) {
      const map: Texture = await new TextureLoader().loadAsync(this.albedoUrl);
      map.colorSpace = SRGBColorSpace;
      map.flipY = this.face.texture.flipY;
      this.albedo = new MeshStandardMaterial({ map, roughness: 0.6 });
    }
    return this.albedo;
  }
}
