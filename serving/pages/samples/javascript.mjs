import { readFile, writeFile } from "node:fs/promises";

const site = "SITE";
const form = new FormData();
form.append("photo", new Blob([await readFile("photo.jpg")]), "photo.jpg");
const job = await (await fetch(`${site}/api/v1/jobs`, { method: "POST", body: form })).json();

let state;
do {
  await new Promise((resume) => setTimeout(resume, 1000));
  state = await (await fetch(site + job.links.self)).json();
} while (!["done", "failed"].includes(state.status));

const answer = await fetch(site + state.faces[0].links.glb);
await writeFile("face.glb", Buffer.from(await answer.arrayBuffer()));
await fetch(site + job.links.self, { method: "DELETE" });
