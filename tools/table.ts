import type { Platform } from "./platform.ts";

/** What a run needs tools for: one of the cluster providers, or everything. */
export type Purpose = "kind" | "existing" | "rehearsal" | "eks" | "all";

/** A good enough one on PATH: how it tells its version, and which versions will do. */
export interface OnPath {
  /** Arguments that make it print its version on stdout. */
  versionArgs: string[];
  /** Versions that will do, in npm's range syntax. The rehearsal's server parts must match exactly: their behaviour is what its tests know. */
  range: string;
}

/** The vendor's own binary. Used only with a checksum: one from this table, else the one that the vendor publishes beside it. */
export interface Download {
  url: (platform: Platform) => string;
  /** For a .tar.gz: the folder in it that holds the program. Without it the download is the program itself. */
  folder?: (platform: Platform) => string;
  /** What else in that folder is kept; the rest is thrown away. */
  alsoKeep?: RegExp;
  /** SHA-256 by platform ("linux-amd64"). Proves origin: it does not come from where the file comes from. */
  sha256?: Record<string, string>;
  /** Where the vendor publishes checksums. From the same site as the file, so they prove an undamaged transfer and nothing about origin. */
  publishedSums?: (platform: Platform) => string;
}

/** A program built from a Go module whose folder, go.mod and go.sum are in this repository. */
export interface GoBuild {
  module: keyof typeof goModules;
  package: string;
  /** Name that `go build -o FOLDER/` gives the program, where it differs from the tool's. */
  binary?: string;
  /** Arguments that it is always run with, before all others: a script of the program's name puts them there. */
  alwaysWith?: string[];
}

/** A program that must lie in the same folder as its tool. */
export interface Companion {
  name: string;
  /** The version when built; otherwise it has its tool's. */
  version: string;
  build: GoBuild;
}

export interface Tool {
  name: string;
  /** The version that is downloaded or built; "sources" where the digest of the module's sources is the version. */
  version: string;
  purposes: readonly Exclude<Purpose, "all">[];
  onPath?: OnPath;
  download?: Download;
  build: GoBuild;
  companion?: Companion;
}

export interface GoModule {
  /** From the project's root. */
  folder: string;
  /** Values for the linker's -X: what a program says of its own version. */
  stamps: Record<string, string>;
}

const kubernetes = "1.35.4";
const helm = "4.1.4";
const pulumi = "3.259.0";
const etcd = "3.7.3";
const kind = "0.33.0";
const kwok = "0.8.0";

export const goModules = {
  kubernetes: {
    folder: "tools/go/kubernetes",
    stamps: {
      // Helm refuses charts with a kubeVersion on an API server that does not know its own version.
      "k8s.io/component-base/version.gitVersion": `v${kubernetes}`,
      "k8s.io/component-base/version.gitMajor": "1",
      "k8s.io/component-base/version.gitMinor": "35",
      "helm.sh/helm/v4/internal/version.version": `v${helm}`,
    },
  },
  kwok: { folder: "tools/go/kwok", stamps: {} },
  pulumi: {
    folder: "tools/go/pulumi",
    stamps: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": pulumi },
  },
  "pulumi-language-nodejs": { folder: "tools/go/pulumi-language-nodejs", stamps: {} },
  agent: { folder: "rehearsal/agent", stamps: {} },
} satisfies Record<string, GoModule>;

const always = ["kind", "existing", "rehearsal", "eks"] as const;
const rehearsal = ["rehearsal"] as const;

function kubernetesDownload(name: string): Download {
  const url = ({ os, arch }: Platform) => `https://dl.k8s.io/release/v${kubernetes}/bin/${os}/${arch}/${name}`;
  return { url, publishedSums: (platform) => `${url(platform)}.sha256` };
}

/** A server part of Kubernetes; `dl.k8s.io` has them for Linux only. */
function kubernetesServer(name: string): Tool {
  return {
    name,
    version: kubernetes,
    purposes: rehearsal,
    onPath: { versionArgs: ["--version"], range: kubernetes },
    download: kubernetesDownload(name),
    build: { module: "kubernetes", package: `k8s.io/kubernetes/cmd/${name}` },
  };
}

function kwokTool(name: string, sha256: Record<string, string>): Tool {
  return {
    name,
    version: kwok,
    purposes: rehearsal,
    onPath: { versionArgs: ["--version"], range: kwok },
    download: {
      url: ({ os, arch }) => `https://github.com/kubernetes-sigs/kwok/releases/download/v${kwok}/${name}-${os}-${arch}`,
      // The project publishes no checksum file; these agree in two independent package recipes. Other platforms build.
      sha256,
    },
    build: { module: "kwok", package: `sigs.k8s.io/kwok/cmd/${name}` },
  };
}

/**
 * Every command-line tool the project runs: its version, and how it is had, tried in the order PATH, download, build.
 * To move one: the version and checksums here, `go get -tool PACKAGE@vVERSION` in its module's folder; the unit tests say
 * what does not agree.
 */
export const tools: readonly Tool[] = [
  {
    name: "pulumi",
    version: pulumi,
    purposes: always,
    onPath: { versionArgs: ["version"], range: `>=${pulumi} <4.0.0` },
    download: {
      url: ({ os, arch }) =>
        `https://get.pulumi.com/releases/sdk/pulumi-v${pulumi}-${os}-${arch === "amd64" ? "x64" : arch}.tar.gz`,
      folder: () => "pulumi",
      alsoKeep: /^pulumi-(language-nodejs.*|resource-pulumi-nodejs|analyzer-policy)$/,
      publishedSums: () => `https://get.pulumi.com/releases/sdk/pulumi-${pulumi}-checksums.txt`,
    },
    build: { module: "pulumi", package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" },
    // 3.68.0 is the last SDK module that contains the language host. Beside the engine, or the engine warns about it at each run.
    companion: {
      name: "pulumi-language-nodejs",
      version: "3.68.0",
      build: {
        module: "pulumi-language-nodejs",
        package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        // It was told by its arguments what today's engine says in each request, that Pulumi.yaml has `typescript: false`: without this, each run
        // of the program loads TypeScript, and looks the stack of each promise up in source maps.
        alwaysWith: ["-typescript=false"],
      },
    },
  },
  {
    name: "kubectl",
    version: kubernetes,
    purposes: always,
    // Kubernetes supports kubectl one minor version either side of the API server.
    onPath: { versionArgs: ["version", "--client"], range: ">=1.34.0 <1.37.0" },
    download: kubernetesDownload("kubectl"),
    build: { module: "kubernetes", package: "k8s.io/kubernetes/cmd/kubectl" },
  },
  {
    name: "helm",
    version: helm,
    purposes: always,
    onPath: { versionArgs: ["version", "--short"], range: `>=${helm} <5.0.0` },
    download: {
      url: ({ os, arch }) => `https://get.helm.sh/helm-v${helm}-${os}-${arch}.tar.gz`,
      folder: ({ os, arch }) => `${os}-${arch}`,
      // From the release notes of v4.1.4.
      sha256: {
        "linux-amd64": "70b2c30a19da4db264dfd68c8a3664e05093a361cefd89572ffb36f8abfa3d09",
        "linux-arm64": "13d03672be289045d2ff00e4e345d61de1c6f21c1257a45955a30e8ae036d8f1",
        "darwin-amd64": "abf09c8503ad1d8ef76d3737a058c3456a998aae5f5966fce4bb3031aeb1654e",
        "darwin-arm64": "7c2eca678e8001fa863cdf8cbf6ac1b3799f9404a89eb55c08260ef5732e658d",
      },
    },
    build: { module: "kubernetes", package: "helm.sh/helm/v4/cmd/helm" },
  },
  {
    name: "kind",
    version: kind,
    purposes: ["kind"],
    onPath: { versionArgs: ["--version"], range: `>=${kind} <1.0.0` },
    download: {
      url: ({ os, arch }) => `https://github.com/kubernetes-sigs/kind/releases/download/v${kind}/kind-${os}-${arch}`,
      // As recorded alike by several independent package recipes.
      sha256: {
        "linux-amd64": "aee6151561422756b764a4ae28e7f44cda5af5a9eead3cc9985112b1de8d8e0d",
        "linux-arm64": "20022bee6cfcd5086cb7234d218e3454e6090022f2a8f55d1fa7fcf42c3867a2",
        "darwin-amd64": "5a99f26f57246dc9319dd294803313197a0f34d33c525b3ea8b655db5916ece0",
        "darwin-arm64": "0c8c7dbe5e23594a198b786c4bc13dacc101fa6196b0cb0b23a1ca44e61f4b4f",
      },
    },
    build: { module: "kwok", package: "sigs.k8s.io/kind" },
  },
  {
    name: "etcd",
    version: etcd,
    purposes: rehearsal,
    onPath: { versionArgs: ["--version"], range: etcd },
    download: {
      // etcd publishes .tar.gz for Linux only; elsewhere this address does not exist and etcd is built.
      url: ({ os, arch }) =>
        `https://github.com/etcd-io/etcd/releases/download/v${etcd}/etcd-v${etcd}-${os}-${arch}.tar.gz`,
      folder: ({ os, arch }) => `etcd-v${etcd}-${os}-${arch}`,
      publishedSums: () => `https://github.com/etcd-io/etcd/releases/download/v${etcd}/SHA256SUMS`,
    },
    build: { module: "kubernetes", package: "go.etcd.io/etcd/server/v3", binary: "server" },
  },
  kubernetesServer("kube-apiserver"),
  kubernetesServer("kube-controller-manager"),
  kubernetesServer("kube-scheduler"),
  kwokTool("kwok", { "linux-amd64": "f5a4385a2ae1b9dd7f8acae18e002a75c0ebba124ae9d7259aa8dadb50711f46" }),
  kwokTool("kwokctl", { "linux-amd64": "d5743166c657283d6e827c7c4c20cacfd9009fd94830f06718ca7b2c7099461f" }),
  {
    // Our own program: nothing but this checkout's sources can be the right one.
    name: "wirecloak-agent",
    version: "sources",
    purposes: rehearsal,
    build: { module: "agent", package: ".", binary: "agent" },
  },
];

export function toolsFor(purpose: Purpose): Tool[] {
  return tools.filter(({ purposes }) => purpose === "all" || purposes.includes(purpose));
}
