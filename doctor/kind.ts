import { dockerOutput, dockerView } from "../components/cluster/docker.ts";
import { kindNodeNames } from "../components/cluster/kindSpec.ts";
import {
  foreignName,
  heldByOther,
  ownerOf,
  readKindRecord,
  type Standing,
  standingOf,
} from "../components/cluster/kindState.ts";
import { identityOf } from "../components/cluster/replacement.ts";
import type { KindSettings, Settings } from "../components/settings.ts";
import { findDocker, inVirtualMachine, judgeCapacity } from "./docker.ts";
import { error, type Finding, findingsOf, ok, warning } from "./finding.ts";
import { checkDisk, checkInotify, checkPort } from "./host.ts";
import { checkKernel } from "./kernel.ts";
import { judgeAdmission, judgeKubernetes, kindKubernetes } from "./kubernetes.ts";
import type { Probes } from "./probes.ts";
import { judgeReplacement } from "./replacement.ts";

const GIB = 2 ** 30;
/** The node image, unpacked, once; and what each node adds: its images and logs. Our own estimate. */
const IMAGE_BYTES = 2 * GIB;
const NODE_BYTES = 1 * GIB;

/** Everything that a kind cluster needs of this machine, and what there is of its name. */
export async function checkKind(
  settings: Settings,
  cluster: KindSettings,
  probes: Probes,
  mayReplace: boolean,
): Promise<Finding[]> {
  const docker = await findDocker(probes);
  if ("finding" in docker) return [docker.finding];
  const { info } = docker;
  const minor = kindKubernetes(cluster.image);
  const common = [
    ok("Docker", `Docker ${info.ServerVersion} answers.`),
    ...judgeCapacity(info, cluster.workers),
    judgeKubernetes(settings, minor),
    ...judgeAdmission(settings, minor),
  ];
  const name = checkName(settings, cluster, probes, mayReplace).catch((failure) =>
    findingsOf(`cluster ${cluster.name}`, failure),
  );
  if (inVirtualMachine(info, probes.platform)) {
    const evidence = "Docker runs in a virtual machine, whose kernel, disk and limits cannot be seen from here.";
    return [...common, warning("kernel", evidence), ...(await name)];
  }
  const host = await Promise.all([
    checkKernel(settings.encryption, probes),
    checkDisk(probes, info.DockerRootDir, IMAGE_BYTES + (cluster.workers + 1) * NODE_BYTES, "disk"),
    checkPort(probes),
  ]);
  return [...common, ...host, checkInotify(probes), ...(await name)];
}

async function checkName(
  settings: Settings,
  cluster: KindSettings,
  { run, stateDir }: Probes,
  mayReplace: boolean,
): Promise<Finding[]> {
  const spec = identityOf(cluster, settings.cilium.kubeProxyReplacement);
  const record = readKindRecord(stateDir, spec.name);
  const view = await dockerView(spec.name, async (...args) => dockerOutput(args, await run("docker", args)));
  const standing = heldByOther(stateDir, spec.name)
    ? "foreign"
    : standingOf(spec, { docker: view, record, owner: ownerOf(stateDir) });
  if (standing === "other" && record) return judgeReplacement(record.spec, spec, mayReplace, WORKERS);
  const gone = kindNodeNames(record?.spec ?? spec).filter((node) => !view.nodes.some(({ name }) => name === node));
  return [judgeStanding(spec.name, standing, { made: record?.made === true, gone, nodes: kindNodeNames(spec) })];
}

/** What to do instead where the number of workers is what changed. */
const WORKERS = "kind cannot add or remove workers";

/** What a cluster's standing means for a run that is about to begin. */
export function judgeStanding(
  name: string,
  standing: Standing,
  { made, gone, nodes }: { made: boolean; gone: string[]; nodes: string[] },
): Finding {
  const what = `cluster ${name}`;
  switch (standing) {
    case "absent":
      return ok(what, "The name is free.");
    case "complete":
    case "other":
      return ok(what, "It is there, made from this checkout, and all its nodes run.");
    case "foreign": {
      const { message, fix } = foreignName(name);
      return error(what, message, fix);
    }
    case "stopped":
      return {
        ...error(
          what,
          "It is there, made from this checkout, but some of its nodes do not run.",
          `docker start ${nodes.join(" ")}`,
        ),
        mend: { program: "docker", args: ["start", ...nodes] },
      };
    case "half-made":
      if (made)
        return error(
          what,
          `It was made from this checkout, but these nodes are gone: ${gone.join(", ") || "none, only its network"}.`,
          "make down && make up",
        );
      return warning(
        what,
        "A run that made it was cut short. The next make up removes what is there and makes it anew.",
      );
  }
}
