// Loads a GLB file as three.js's viewers do, turns its bones, and says where the vertices are then.
// node drive.mjs NODE_MODULES FILE
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

globalThis.self = globalThis;
console.error = () => {}; // without a browser there are no pictures
const [modules, file] = process.argv.slice(2);
const from = (path) => import(pathToFileURL(`${modules}/three/${path}`).href);
const THREE = await from("build/three.module.js");
const { GLTFLoader } = await from("examples/jsm/loaders/GLTFLoader.js");
const { scene } = await new GLTFLoader().parseAsync(new Uint8Array(readFileSync(file)).buffer, "");

const skinned = [];
scene.traverse((each) => each.isSkinnedMesh && skinned.push(each));
const hair = scene.getObjectByName("hair");

/** All vertices of the face, and the first of the hair, in metres. */
function places() {
  scene.updateMatrixWorld(true);
  const place = new THREE.Vector3();
  const face = [];
  for (const mesh of skinned) {
    mesh.skeleton.update();
    for (let i = 0; i < mesh.geometry.getAttribute("position").count; i++) {
      mesh.getVertexPosition(i, place);
      face.push(place.toArray().map((each) => Math.round(each * 1e6) / 1e6));
    }
  }
  const first = hair ? place.fromBufferAttribute(hair.geometry.getAttribute("position"), 0).applyMatrix4(hair.matrixWorld).toArray() : null;
  return { face, hair: first };
}

skinned.forEach((mesh) => mesh.morphTargetInfluences?.fill(0));
const shown = { rest: places() };
for (const [name, axis] of [["Head", "y"], ["Neck", "x"], ["Jaw", "x"], ["LeftEye", "y"], ["RightEye", "y"]]) {
  const bone = scene.getObjectByName(name);
  bone.rotation[axis] = 0.3;
  shown[name] = places();
  bone.rotation[axis] = 0;
}
const targets = Object.keys(skinned[0].morphTargetDictionary);
skinned.forEach((mesh) => (mesh.morphTargetInfluences[mesh.morphTargetDictionary.tongueOut] = 1));
shown.tongueOut = places();
console.log(JSON.stringify({ targets, shown }));
