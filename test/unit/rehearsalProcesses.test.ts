import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choosePorts, isPortFree } from "../../rehearsal/ports.ts";
import { endProcessesIn, ownProgram, plainEnvironment, processesIn } from "../../rehearsal/processes.ts";
import { rehearsalFiles } from "../../rehearsal/record.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "wirecloak-")));
});
afterEach(async () => {
  await endProcessesIn(folder);
  rmSync(folder, { recursive: true });
});

describe("a cluster's processes", () => {
  test("are told by the path that started them, and no others are ended", async () => {
    const own = spawn(ownProgram("/bin/sleep", join(folder, "bin")), ["60"], { detached: true });
    // A stranger that only speaks of the folder, as an editor or kubectl does.
    const stranger = spawn("/bin/sh", ["-c", "exec sleep 60", `${folder}/kubeconfig`], { detached: true });
    await Promise.all([once(own, "spawn"), once(stranger, "spawn")]);
    try {
      expect(processesIn(folder)).toEqual([{ pid: own.pid, program: "sleep" }]);
      const ended = once(own, "exit");
      await endProcessesIn(folder);
      await ended;
      expect(processesIn(folder)).toEqual([]);
      expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    } finally {
      stranger.kill("SIGKILL");
    }
  });

  test("a folder's name that begins another's is not that other", async () => {
    const other = spawn(ownProgram("/bin/sleep", join(`${folder}2`, "bin")), ["60"], { detached: true });
    await once(other, "spawn");
    try {
      expect(processesIn(folder)).toEqual([]);
    } finally {
      other.kill("SIGKILL");
      rmSync(`${folder}2`, { recursive: true });
    }
  });

  test("inherit nothing that may be secret", () => {
    process.env.PULUMI_CONFIG_PASSPHRASE = "geheim";
    try {
      expect(Object.keys(plainEnvironment({ KWOK_WORKDIR: "x" })).sort()).toEqual(
        ["GOGC", "HOME", "KWOK_WORKDIR", "LANG", "PATH", "TMPDIR"].filter(
          (name) => name === "KWOK_WORKDIR" || process.env[name],
        ),
      );
    } finally {
      delete process.env.PULUMI_CONFIG_PASSPHRASE;
    }
  });
});

describe("a cluster's ports", () => {
  test("are seven different ones outside the range of outgoing connections", async () => {
    const ports = Object.values(await choosePorts(async () => true));
    expect(new Set(ports).size).toBe(7);
    // The default of net.ipv4.ip_local_port_range begins there.
    expect(Math.max(...ports)).toBeLessThan(32_768);
  });

  test("are never one that is taken", async () => {
    const taken = new Set<number>();
    const ports = await choosePorts(async (port) => {
      // The first three rows that are tried have a port that somebody uses.
      if (taken.size < 3) taken.add(port);
      return !taken.has(port);
    });
    for (const port of Object.values(ports)) expect(taken.has(port)).toBe(false);
  });

  test("are refused with a reason where none is free", async () => {
    await expect(choosePorts(async () => false)).rejects.toThrow(/free ports/);
  });

  test("a port that a program listens on is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    expect(await isPortFree(address.port)).toBe(false);
    server.close();
    await once(server, "close");
    expect(await isPortFree(address.port)).toBe(true);
  });
});

test("the agent program and the lifecycle agree on kwokctl's folder and the lease's name", () => {
  const source = (name: string) => readFileSync(join(__dirname, "../../rehearsal/agent", name), "utf8");

  const files = rehearsalFiles("/s", "n");
  expect(source("run.go")).toContain('filepath.Join(dir, "kwok", "clusters", "k", "pki")');
  expect(files.pki).toBe("/s/clusters/n/kwok/clusters/k/pki");
  expect(source("lease.go")).toContain('leaseFile = "lease"');
  expect(files.lease).toBe("/s/clusters/n/lease");
});
