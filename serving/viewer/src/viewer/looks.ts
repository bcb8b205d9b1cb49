/** The looks of a face: what its surface shows, and the studio that the lit ones stand in. */

import {
  BufferAttribute,
  Color,
  DirectionalLight,
  Group,
  HemisphereLight,
  type Material,
  Mesh,
  MeshBasicMaterial,
  MeshNormalMaterial,
  MeshPhysicalMaterial,
  SRGBColorSpace,
  type Texture,
  TextureLoader,
  Vector3,
} from "three";
import type { Face } from "./face";
import { Dye } from "./dye";

export type Look = "texture" | "clay" | "wireframe" | "albedo" | "normals";

const CLAY = new Color("#d5c6b7");
const INK = new Color("#22302f");
const PAPER = new Color("#f4f1ec");
const LIGHT_DISTANCE = 2; // metres; only the direction matters
const SHADOW_PIXELS = 1024;
const SHADOW_REACH = 0.2; // metres around the middle of the head

/** Dresses a face in one look after another, and holds the light that clay and skin stand in. */
export class Wardrobe {
  readonly group = new Group();
  private readonly wires: Mesh;
  private readonly key = new DirectionalLight(0xfff4e8, 3); // the lamp that people move
  private readonly rim = new DirectionalLight(0xdfe9ff, 1.1); // behind the head, away from the key
  private readonly materials: Record<Exclude<Look, "albedo" | "clay">, Material>;
  private clay?: MeshPhysicalMaterial;
  private skin?: MeshPhysicalMaterial;
  private readonly dye: Dye;
  private haired = true;

  constructor(
    private readonly face: Face,
    private readonly albedoUrl: string,
  ) {
    this.materials = {
      texture: new MeshBasicMaterial({ map: face.texture, toneMapped: false }), // the photo's colours as they are
      wireframe: new MeshBasicMaterial({
        color: PAPER,
        toneMapped: false,
        polygonOffset: true,
        polygonOffsetFactor: 1,
        polygonOffsetUnits: 1,
      }),
      normals: new MeshNormalMaterial(),
    };
    this.wires = new Mesh(
      face.mesh.geometry,
      new MeshBasicMaterial({ color: INK, wireframe: true, transparent: true, opacity: 0.45, toneMapped: false }),
    );
    this.wires.visible = false;
    face.mesh.castShadow = face.mesh.receiveShadow = true;
    face.mesh.material = this.materials.texture as MeshBasicMaterial;
    this.castShadows();
    this.group.add(face.mesh, ...face.others, this.wires, new HemisphereLight(0xffffff, 0xb0a69c, 2.1), this.key, this.rim);
    this.group.add(this.key.target, this.rim.target);
    this.dye = new Dye(face.others);
    this.shineFrom(35, 30);
  }

  /** Whether the head has hair that can be taken off. */
  get hasHair(): boolean {
    return this.face.others.length > 0;
  }

  /** Put the hair on or take it off. */
  set hair(on: boolean) {
    this.haired = on;
    this.showHair(this.face.mesh.material === this.materials.texture || this.lit);
  }

  /** Dye the hair; without a colour it has its own. */
  colourHair(colour: string | undefined): void {
    this.dye.use(colour);
  }

  /** Whether the light matters to the look that is on. */
  get lit(): boolean {
    return (this.face.mesh.material as Material) instanceof MeshPhysicalMaterial;
  }

  /** Put a look on; the skin is fetched when it is first asked for. */
  async wear(look: Look): Promise<void> {
    this.face.mesh.material = (await this.material(look)) as MeshBasicMaterial;
    this.key.castShadow = this.lit; // a pass over the whole head, for nothing where the photo has its own light
    this.wires.visible = look === "wireframe";
    this.showHair(look === "texture" || look === "albedo");
  }

  private showHair(wanted: boolean): void {
    for (const other of this.face.others) other.visible = wanted && this.haired;
  }

  /** Let the light come from the right of the front view (degrees, negative: left) and from a height (degrees). */
  shineFrom(side: number, height: number): void {
    const middle = this.face.bounds.getCenter(new Vector3());
    const from = (azimuth: number, elevation: number) =>
      new Vector3()
        .setFromSphericalCoords(LIGHT_DISTANCE, ((90 - elevation) * Math.PI) / 180, (azimuth * Math.PI) / 180)
        .add(middle);
    this.key.position.copy(from(side, height));
    this.rim.position.copy(from(side > 0 ? side - 165 : side + 165, 35));
    for (const lamp of [this.key, this.rim]) {
      lamp.target.position.copy(middle);
      lamp.target.updateMatrixWorld();
    }
  }

  private castShadows(): void {
    this.key.shadow.mapSize.set(SHADOW_PIXELS, SHADOW_PIXELS);
    this.key.shadow.normalBias = 0.002;
    this.key.shadow.radius = 6;
    const camera = this.key.shadow.camera;
    [camera.left, camera.right, camera.bottom, camera.top] = [-SHADOW_REACH, SHADOW_REACH, -SHADOW_REACH, SHADOW_REACH];
    [camera.near, camera.far] = [LIGHT_DISTANCE - 0.5, LIGHT_DISTANCE + 0.5];
  }

  private async material(look: Look): Promise<Material> {
    if (look === "clay") return (this.clay ??= this.clayMaterial());
    if (look === "albedo") return (this.skin ??= await this.skinMaterial());
    return this.materials[look];
  }

  /** Clay, darker in folds. */
  private clayMaterial(): MeshPhysicalMaterial {
    const open = this.face.openness();
    const colours = Float32Array.from({ length: 3 * open.length }, (_, at) => open[Math.floor(at / 3)]!);
    this.face.mesh.geometry.setAttribute("color", new BufferAttribute(colours, 3));
    return new MeshPhysicalMaterial({ color: CLAY, roughness: 0.8, vertexColors: true });
  }

  private async skinMaterial(): Promise<MeshPhysicalMaterial> {
    const map: Texture = await new TextureLoader().loadAsync(this.albedoUrl);
    map.colorSpace = SRGBColorSpace;
    map.flipY = this.face.texture.flipY;
    return new MeshPhysicalMaterial({ map, roughness: 0.55, sheen: 0.35, sheenRoughness: 0.5, sheenColor: new Color("#ffd9c8") });
  }
}
