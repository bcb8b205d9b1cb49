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
import { type Bare, fetchBare, fetchSurroundings, type Surroundings } from "./relit";

export type Look = "texture" | "clay" | "wireframe" | "albedo" | "normals" | "relit";

/** Where what a look needs is fetched when it is first put on. */
export interface Sources {
  readonly albedo: string;
  readonly material: string; // "" for examples, of which no worker knows
  readonly lights: string;
  readonly tellWaiting: () => void; // a worker takes the light off first
  readonly tellChanged: () => void; // a look that is on has become finer
}

const HAIRED: readonly Look[] = ["texture", "albedo", "relit"];

/** Looks that show wrinkles and pores, once a worker has told them from the light of the photo. */
const FINE: readonly Look[] = ["clay", "albedo", "normals"];

/** How strong the studio's lamps are, and that of surroundings, which light for the most part by themselves. */
const KEY = 3;
const KEY_IN_SURROUNDINGS = 0.8;

const CLAY = new Color("#d5c6b7");
const INK = new Color("#22302f");
const PAPER = new Color("#f4f1ec");
const WARM = 0xfff4e8;
const LIGHT_DISTANCE = 2; // metres; only the direction matters
const SHADOW_PIXELS = 1024;
const SHADOW_REACH = 0.2; // metres around the middle of the head

/** Hair as the photo shows it, and as surroundings light it. */
interface Dressed {
  readonly mesh: Mesh;
  readonly plain: Material;
  readonly lit: MeshPhysicalMaterial;
}

/** Dresses a face in one look after another, and holds the light that clay and skin stand in. */
export class Wardrobe {
  readonly group = new Group();
  private readonly wires: Mesh;
  private readonly key = new DirectionalLight(WARM, KEY); // the lamp that people move
  private readonly rim = new DirectionalLight(0xdfe9ff, 1.1); // behind the head, away from the key
  private readonly sky = new HemisphereLight(0xffffff, 0xb0a69c, 2.1);
  private readonly materials: Record<Exclude<Look, "albedo" | "clay" | "relit">, Material>;
  private clay?: MeshPhysicalMaterial;
  private skin?: MeshPhysicalMaterial;
  private readonly dye: Dye;
  private haired = true;
  private stuff?: Promise<Bare>; // what the face is made of, once a look asked for it
  private bare?: MeshPhysicalMaterial; // the skin as face_material.web.glb has it
  private strands: readonly Dressed[] = []; // hair, once it was relit
  private wanted: Look = "texture";
  private all: ReadonlyMap<string, Surroundings> = new Map();
  private around?: Surroundings;

  constructor(
    private readonly face: Face,
    private readonly sources: Sources,
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
    this.group.add(face.mesh, ...face.others, this.wires, this.sky, this.key, this.rim);
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
    this.showHair();
  }

  /** Dye the hair; without a colour it has its own. */
  colourHair(colour: string | undefined): void {
    this.dye.use(colour);
  }

  /** Whether the light matters to the look that is on. */
  get lit(): boolean {
    return (this.face.mesh.material as Material) instanceof MeshPhysicalMaterial;
  }

  /** Put a look on, unless another one is wished for before it is there. */
  async wear(look: Look): Promise<void> {
    this.wanted = look;
    const material = await this.material(look);
    if (this.wanted !== look) return;
    this.face.mesh.material = material as MeshBasicMaterial;
    this.key.castShadow = this.lit; // a pass over the whole head, for nothing where the photo has its own light
    this.wires.visible = look === "wireframe";
    const relit = look === "relit";
    this.sky.visible = this.rim.visible = !relit;
    this.key.intensity = relit ? KEY_IN_SURROUNDINGS : KEY;
    this.key.color.set(relit && this.around ? this.around.color : WARM);
    for (const { mesh, plain, lit } of this.strands) mesh.material = relit ? lit : plain;
    this.showHair();
    if (FINE.includes(look)) void this.refine(material as MeshNormalMaterial | MeshPhysicalMaterial);
  }

  /** Give a material the fine normals of the skin; without them it stays smooth. */
  private async refine(material: MeshNormalMaterial | MeshPhysicalMaterial): Promise<void> {
    if (material.normalMap || !this.sources.material) return;
    const made = await this.made().catch(() => undefined);
    if (!made?.skin.normalMap) return;
    material.normalMap = made.skin.normalMap;
    material.normalScale.copy(made.skin.normalScale);
    material.needsUpdate = true;
    this.sources.tellChanged();
  }

  /** What the face is made of; asked for again after a failure. */
  private made(): Promise<Bare> {
    const { material, tellWaiting } = this.sources;
    const tell = () => this.wanted === "relit" && tellWaiting();
    return (this.stuff ??= fetchBare(material, tell).catch((error: unknown) => {
      this.stuff = undefined;
      throw error;
    }));
  }

  private showHair(): void {
    for (const other of this.face.others) other.visible = this.haired && HAIRED.includes(this.wanted);
  }

  /** Let surroundings light the look Relit; where their lamp stands, undefined for an unknown name. */
  surround(name: string): Surroundings | undefined {
    this.around = this.all.get(name);
    if (!this.around || !this.bare) return undefined;
    for (const material of [this.bare, ...this.strands.map(({ lit }) => lit)]) {
      material.envMap = this.around.panorama;
      material.needsUpdate = true;
    }
    this.key.color.set(this.around.color);
    return this.around;
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
    if (look === "relit") return (this.bare ??= await this.bareMaterial());
    return this.materials[look];
  }

  private async bareMaterial(): Promise<MeshPhysicalMaterial> {
    const [{ skin, hair }, all] = await Promise.all([this.made(), fetchSurroundings(this.sources.lights)]);
    this.all = all;
    this.strands = this.face.others.map((mesh) => dressed(mesh, hair));
    this.dye.also(this.strands.map(({ lit }) => lit));
    return skin;
  }

  /** Clay, darker in folds. */
  private clayMaterial(): MeshPhysicalMaterial {
    const open = this.face.openness();
    const colours = Float32Array.from({ length: 3 * open.length }, (_, at) => open[Math.floor(at / 3)]!);
    this.face.mesh.geometry.setAttribute("color", new BufferAttribute(colours, 3));
    return new MeshPhysicalMaterial({ color: CLAY, roughness: 0.8, vertexColors: true });
  }

  private async skinMaterial(): Promise<MeshPhysicalMaterial> {
    const map: Texture = await new TextureLoader().loadAsync(this.sources.albedo);
    map.colorSpace = SRGBColorSpace;
    map.flipY = this.face.texture.flipY;
    return new MeshPhysicalMaterial({ map, roughness: 0.55, sheen: 0.35, sheenRoughness: 0.5, sheenColor: new Color("#ffd9c8") });
  }
}

function dressed(mesh: Mesh, color: Color): Dressed {
  const plain = mesh.material as MeshBasicMaterial;
  const { map, side, transparent, depthWrite, alphaTest } = plain;
  if (!mesh.geometry.hasAttribute("normal")) mesh.geometry.computeVertexNormals();
  const lit = new MeshPhysicalMaterial({ map, color, side, transparent, depthWrite, alphaTest, roughness: 0.6 });
  return { mesh, plain, lit };
}
