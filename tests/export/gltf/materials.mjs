// Loads a GLB file as three.js's viewers do, and says of which materials it is, by name.
// node materials.mjs NODE_MODULES FILE
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

globalThis.self = globalThis;
globalThis.createImageBitmap = async (blob) => ({ bytes: blob.size, close() {} }); // what a browser would decode
const [modules, file] = process.argv.slice(2);
const from = (path) => import(pathToFileURL(`${modules}/three/${path}`).href);
const { GLTFLoader } = await from("examples/jsm/loaders/GLTFLoader.js");
const { scene } = await new GLTFLoader().parseAsync(new Uint8Array(readFileSync(file)).buffer, "");

const shown = {};
scene.traverse(({ isMesh, material, geometry }) => {
  if (!isMesh) return;
  const maps = Object.keys(material).filter((key) => material[key]?.isTexture);
  shown[material.name] = {
    type: material.type,
    maps: maps.map((key) => [key, material[key].image.bytes, material[key].colorSpace]),
    roughness: material.roughness,
    metalness: material.metalness,
    clearcoat: material.clearcoat ?? 0,
    tangents: "tangent" in geometry.attributes,
  };
});
console.log(JSON.stringify(shown));
