// Bundles the scripts of the pages into ../static/scripts, and writes down of which sources, for the test that asks.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const OUT = "../static/scripts";

rmSync(OUT, { recursive: true, force: true });
// Apart from each other: what two of them share would be a third file, which the face of a result would have to wait for.
for (const entryPoints of [["src/submit.ts", "src/job.ts", "src/result.ts"], ["src/viewer.ts"], ["src/live.ts"]]) {
  await build({
    entryPoints,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    outdir: OUT,
    chunkNames: "[name]-[hash]",
    legalComments: "none",
  });
}

const sources = readdirSync("src", { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath}/${entry.name}`);
const digest = createHash("sha256");
for (const file of [...sources, "build.mjs", "package-lock.json"].sort()) digest.update(readFileSync(file));
writeFileSync(`${OUT}/sources.txt`, `${digest.digest("hex")}\n`);
