import { createHash } from "node:crypto";
import { createWriteStream, renameSync, rmSync } from "node:fs";
import { chmod, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { runCommand } from "./command.ts";
import { type Network, networkReason } from "./network.ts";
import { type Platform, platformKey } from "./platform.ts";
import type { Tool } from "./table.ts";
import { Unobtainable } from "./unobtainable.ts";

/** A transfer that brings nothing for so long is given up. */
const STALL_MS = 30_000;

/**
 * Downloads a tool into the empty folder `into`, verified; returns how it was verified. `onStart` is called when the transfer begins.
 * Throws Unobtainable with the reason where it cannot be had: host does not answer, no such file, wrong checksum.
 */
export async function download(
  tool: Tool,
  { platform, into, network, onStart }: { platform: Platform; into: string; network: Network; onStart: () => void },
): Promise<string> {
  const { download: source, name } = tool;
  if (!source) throw new Unobtainable("there is no official download");
  const url = source.url(platform);
  const pinned = source.sha256?.[platformKey(platform)];
  const sums = pinned === undefined ? source.publishedSums?.(platform) : undefined;
  if (pinned === undefined && sums === undefined)
    throw new Unobtainable(`no checksum is known for the ${platformKey(platform)} download`);
  for (const address of [url, sums]) {
    const reason = address && (await network.unreachable(address));
    if (reason) throw new Unobtainable(reason);
  }

  onStart();
  const expected = pinned ?? (await publishedSum(sums ?? "", basename(url)));
  const file = join(into, "download");
  const actual = await fetchToFile(url, file);
  if (actual !== expected) {
    rmSync(file);
    throw new Unobtainable(`the download ${url} was refused: its SHA-256 is ${actual}, not ${expected}`);
  }
  if (source.folder) await unpack(file, source.folder(platform), into);
  else renameSync(file, join(into, name));
  await keepOnly(into, tool);
  return pinned === undefined
    ? `official download, checksum as published by ${new URL(url).host}`
    : "official download, checksum as in tools/table.ts";
}

/** The checksum of `file` in a vendor's list: lines of `HASH  NAME`, or one hash alone. */
export function findSum(list: string, file: string): string | undefined {
  const lines = list
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const bare = lines.length === 1 ? /^[0-9a-f]{64}$/i.exec(lines[0] ?? "")?.[0] : undefined;
  const named = lines
    .map((line) => /^([0-9a-f]{64})\s+\*?(?:\.\/)?(.+)$/i.exec(line))
    .find((match) => match?.[2] === file)?.[1];
  return (bare ?? named)?.toLowerCase();
}

async function publishedSum(url: string, file: string): Promise<string> {
  const response = await request(url, AbortSignal.timeout(STALL_MS));
  const list = await response.text().catch((error: unknown) => {
    throw new Unobtainable(`${url}: ${networkReason(error)}`);
  });
  const sum = findSum(list, file);
  if (sum === undefined) throw new Unobtainable(`${url} has no checksum of ${file}`);
  return sum;
}

async function request(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    throw new Unobtainable(`${url}: ${networkReason(error)}`);
  });
  if (!response.ok) throw new Unobtainable(`${url} answered ${response.status}`);
  return response;
}

/** Writes what a URL gives to a file; returns its SHA-256 in hexadecimal. */
async function fetchToFile(url: string, file: string): Promise<string> {
  const stalled = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const stillAlive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(new Error(`nothing for ${STALL_MS / 1000} s`)), STALL_MS);
  };
  stillAlive();
  const hash = createHash("sha256");
  const watched = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      stillAlive();
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    const { body } = await request(url, stalled.signal);
    if (!body) throw new Unobtainable(`${url} answered with nothing`);
    await pipeline(body, watched, createWriteStream(file));
  } catch (error) {
    rmSync(file, { force: true });
    throw error instanceof Unobtainable ? error : new Unobtainable(`${url} broke off: ${networkReason(error)}`);
  } finally {
    clearTimeout(timer);
  }
  return hash.digest("hex");
}

/** Puts what an archive's top folder holds into `into`. */
async function unpack(archive: string, folder: string, into: string): Promise<void> {
  const args = ["-xzf", archive, "-C", into, "--no-same-owner", "--strip-components=1", folder];
  const { code, stderr, failure } = await runCommand("tar", args, { cwd: into, env: process.env });
  rmSync(archive);
  if (code !== 0) throw new Unobtainable(`tar could not unpack it: ${failure ?? stderr.trim()}`);
}

/** Leaves what the tool needs; vendors pack much else (Pulumi: 300 MB of other languages). */
async function keepOnly(folder: string, { name, companion, download: source }: Tool): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (entry === name || source?.alsoKeep?.test(entry)) await chmod(join(folder, entry), 0o755);
    else rmSync(join(folder, entry), { recursive: true });
  }
  const present = await readdir(folder);
  for (const program of [name, companion?.name]) {
    if (program !== undefined && !present.includes(program)) throw new Unobtainable(`the download holds no ${program}`);
  }
}
