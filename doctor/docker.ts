import type { CommandResult } from "../tools/command.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import type { Probes } from "./probes.ts";

/** What a check needs of `docker info`. */
export interface DockerInfo {
  MemTotal: number;
  NCPU: number;
  CgroupVersion: string;
  OperatingSystem: string;
  DockerRootDir: string;
  SecurityOptions: string[];
  ServerVersion: string;
}

/** Docker as this process reaches it: what it says of itself, or the finding that it cannot be used. */
export type Docker = { info: DockerInfo } | { finding: Finding };

const WHAT = "Docker";
const REHEARSAL = "or take the rehearsal, which needs no Docker: make up STACK=rehearsal";

/** Asks Docker for itself. Podman and rootless Docker are refused: they have no host network for captures and the guard. */
export async function findDocker({ run, platform }: Probes): Promise<Docker> {
  return judgeDocker(await run("docker", ["info", "--format", "{{json .}}"]), platform);
}

/** Reads the answer of `docker info --format '{{json .}}'`. */
export function judgeDocker(result: CommandResult, platform: NodeJS.Platform): Docker {
  const { stdout, stderr, failure } = result;
  if (failure === "ENOENT")
    return { finding: error(WHAT, "There is no docker on PATH.", `install Docker, ${REHEARSAL}`) };
  if (failure !== undefined)
    return { finding: error(WHAT, "Docker does not answer within 5 s.", `restart it, ${REHEARSAL}`) };
  if (/podman|buildah/i.test(stdout + stderr)) {
    return {
      finding: error(
        WHAT,
        `This docker is podman, which gives no place outside the nodes to capture and to drop packets.`,
        `use Docker, ${REHEARSAL}`,
      ),
    };
  }
  const info = parseInfo(stdout);
  const said = [stderr, ...(info?.ServerErrors ?? [])].join("\n").trim();
  if (/permission denied/i.test(said)) {
    const fix = `sudo usermod -aG docker "$USER" && newgrp docker   # ${REHEARSAL}`;
    return { finding: error(WHAT, "Docker runs, but this user may not use it.", fix) };
  }
  if (!info?.ServerVersion) {
    const start = platform === "linux" ? "sudo systemctl start docker" : "start Docker Desktop";
    return {
      finding: error(
        WHAT,
        `Docker is installed, but its daemon does not run: ${lastLine(said)}`,
        `${start}   # ${REHEARSAL}`,
      ),
    };
  }
  if (info.SecurityOptions?.some((option) => option.includes("rootless"))) {
    const evidence =
      "This Docker is rootless: its containers cannot reach the host's network, where captures and the guard belong.";
    return { finding: error(WHAT, evidence, `use Docker with root (docker context use default), ${REHEARSAL}`) };
  }
  return { info };
}

function parseInfo(stdout: string): (DockerInfo & { ServerErrors?: string[] }) | undefined {
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

function lastLine(text: string): string {
  return text.split("\n").at(-1) ?? "";
}

/** Docker Desktop and its kin run Docker in a virtual machine: its kernel, disk and limits are not this machine's. */
export function inVirtualMachine({ OperatingSystem }: DockerInfo, platform: NodeJS.Platform): boolean {
  return platform !== "linux" || OperatingSystem.includes("Docker Desktop");
}

const GIB = 2 ** 30;
/** Our own estimate, of a control plane and of a worker with Cilium and little else. */
const CONTROL_PLANE_BYTES = 1.5 * GIB;
const WORKER_BYTES = 0.75 * GIB;

/** Whether the machine that Docker runs on is big enough and new enough for the nodes. */
export function judgeCapacity(info: DockerInfo, workers: number): Finding[] {
  const needed = CONTROL_PLANE_BYTES + workers * WORKER_BYTES;
  const seen = `${gib(info.MemTotal)} and ${info.NCPU} CPUs for ${workers + 1} nodes`;
  const short = info.MemTotal < needed || info.NCPU < 2;
  const size = short
    ? warning(
        "memory and CPU",
        `Docker has ${seen}; about ${gib(needed)} and 2 CPUs are needed.`,
        "give Docker more, or lower cluster.workers",
      )
    : ok("memory and CPU", `Docker has ${seen}.`);
  if (info.CgroupVersion !== "1") return [size];
  const evidence = "The machine uses cgroup v1, which Kubernetes 1.35 and newer refuse.";
  return [
    size,
    error("cgroups", evidence, "start the machine with the kernel argument systemd.unified_cgroup_hierarchy=1"),
  ];
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
