import { expectedConfig } from "../../../../components/encryption/values.ts";
import { problemsOf, settingsOf } from "../config.ts";

const refusedKeys = (values: unknown, encryption = "wireguard", more: object = {}) =>
  problemsOf({ encryption, cilium: { ...more, values } }).map((problem) =>
    problem.key.replace("wirecloak:cilium.values", ""),
  );
const ipsec = (values: unknown) => refusedKeys(values, "ipsec");

describe("Helm values that would set or defeat encryption are refused", () => {
  test.each<[string, unknown, string[]]>([
    ["encryption itself", { encryption: { enabled: false } }, [".encryption.enabled"]],
    [
      "ztunnel, which encrypts nothing until namespaces are labelled",
      { encryption: { type: "ztunnel" } },
      [".encryption.type"],
    ],
    ["the whole block", { encryption: null }, [".encryption"]],
    ["the Secret's name", { encryption: { ipsec: { secretName: "mine" } } }, [".encryption.ipsec.secretName"]],
    [
      "an agent option in extraConfig",
      { extraConfig: { "enable-wireguard": "false" } },
      [".extraConfig.enable-wireguard"],
    ],
    [
      "an agent option in any case",
      { extraConfig: { "Enable-WireGuard": "false" } },
      [".extraConfig.Enable-WireGuard"],
    ],
    [
      "an opt-out of nodes",
      { extraConfig: { "node-encryption-opt-out-labels": "a" } },
      [".extraConfig.node-encryption-opt-out-labels"],
    ],
    [
      "strict mode's own options",
      { extraConfig: { "enable-encryption-strict-mode-egress": "false" } },
      [".extraConfig.enable-encryption-strict-mode-egress"],
    ],
    ["an agent argument", { extraArgs: ["--debug", "--encrypt-node=false"] }, [".extraArgs[1]"]],
    ["an agent argument as a map", { extraArgs: { "encrypt-node": "false" } }, [".extraArgs.encrypt-node"]],
    ["another configuration folder", { extraArgs: ["--config-dir=/x"] }, [".extraArgs[0]"]],
    ["an agent variable", { extraEnv: [{ name: "CILIUM_ENABLE_WIREGUARD", value: "false" }] }, [".extraEnv[0]"]],
    ["an option in another component", { operator: { extraArgs: ["--enable-ipsec"] } }, [".operator.extraArgs"]],
    ["text that breaks out of its line", { tunnelPort: 'x\n  enable-wireguard: "false"' }, [".tunnelPort"]],
    ["a port by which nobody knows the overlay", { tunnelPort: 9472 }, [".tunnelPort"]],
    ["a volume over the keys", { extraVolumeMounts: [{ name: "x", mountPath: "/etc/ipsec" }] }, [".extraVolumeMounts"]],
    ["routing behind the setting", { routingMode: "native" }, [".routingMode"]],
    ["routing by an agent option", { extraConfig: { "routing-mode": "native" } }, [".extraConfig.routing-mode"]],
    ["configuration that reaches no agent", { rollOutCiliumPods: false }, [".rollOutCiliumPods"]],
    ["agents that are not restarted", { updateStrategy: { type: "OnDelete" } }, [".updateStrategy.type"]],
    ["no agents", { agent: false }, [".agent"]],
    ["agents by another name", { name: "other" }, [".name"]],
    ["a name override", { fullnameOverride: "other" }, [".fullnameOverride"]],
    ["another namespace", { namespaceOverride: "other" }, [".namespaceOverride"]],
    ["another source of configuration", { daemon: { configSources: "x" } }, [".daemon.configSources"]],
    ["a release without configuration", { preflight: { enabled: true } }, [".preflight.enabled"]],
    ["no operator", { operator: { enabled: false } }, [".operator.enabled"]],
    ["no IPv4", { ipv4: { enabled: false } }, [".ipv4.enabled"]],
    ["a chart's name override", { nameOverride: "other" }, [".nameOverride"]],
    ["the tunnel by its old name", { tunnel: "disabled" }, [".tunnel"]],
    ["another address of the API server", { k8sServiceHostRef: { name: "x" } }, [".k8sServiceHostRef.name"]],
    ["a cloud's IPAM: AWS", { eni: { enabled: true } }, [".eni.enabled"]],
    ["a cloud's IPAM: Azure", { azure: { enabled: true } }, [".azure.enabled"]],
    ["a cloud's IPAM: Alibaba", { alibabacloud: { enabled: true } }, [".alibabacloud.enabled"]],
    ["a cloud's routing: GKE", { gke: { enabled: true } }, [".gke.enabled"]],
    ["a cloud's routing: AKS", { aksbyocni: { enabled: true } }, [".aksbyocni.enabled"]],
    ["keys with dots, which Helm would not read", { "encryption.enabled": true }, ['["encryption.enabled"]']],
  ])("%s", (_, values, keys) => {
    expect(refusedKeys(values).sort()).toEqual(keys.sort());
  });

  test.each<[string, unknown, string]>([
    ["the host firewall", { hostFirewall: { enabled: true } }, ".hostFirewall.enabled"],
    ["CNI chaining", { cni: { chainingMode: "aws-cni" } }, ".cni.chainingMode"],
    ["a chaining target", { cni: { chainingTarget: "aws-cni" } }, ".cni.chainingTarget"],
    ["no transparent DNS proxy", { dnsProxy: { enableTransparentMode: false } }, ".dnsProxy.enableTransparentMode"],
    ["BPF host routing", { bpf: { hostLegacyRouting: false } }, ".bpf.hostLegacyRouting"],
    ["another boot id", { extraConfig: { "boot-id-file": "/x" } }, ".extraConfig.boot-id-file"],
    [
      "the host firewall by an agent option",
      { extraConfig: { "enable-host-firewall": "true" } },
      ".extraConfig.enable-host-firewall",
    ],
  ])("with IPsec only: %s", (_, values, key) => {
    expect(ipsec(values)).toEqual([key]);
    expect(refusedKeys(values)).toEqual([]);
  });

  test.each([
    ["encryption.type", "encryption"],
    ["encryption.nodeEncryption", "wireguard.nodeEncryption"],
    ["encryption.strictMode.egress.cidr", "strict"],
    ["encryption.wireguard.persistentKeepalive", "wireguard.persistentKeepalive"],
    ["encryption.wireguard.userspaceFallback", "wireguard.userspaceFallback"],
    ["encryption.ipsec.keyRotationDuration", "ipsec.keyRotationDuration"],
    ["encryption.ipsec.encryptedOverlay", "ipsec.encryptedOverlay"],
    ["encryption.ipsec.interface", "ipsec.interface"],
    ["encryption.ipsec.keyFile", undefined],
    ["routingMode", "cilium.routing"],
    ["tunnelProtocol", "cilium.tunnel"],
    ["ipv4NativeRoutingCIDR", "cilium.nativeCidr"],
    ["ipam.mode", "cilium.ipam"],
    ["ipam.operator.clusterPoolIPv4PodCIDRList", "cluster.podCidr"],
    ["kubeProxyReplacement", "cilium.kubeProxyReplacement"],
    ["hubble.relay.enabled", "cilium.hubble"],
    ["cluster.name", "cluster.name"],
    ["namespaceOverride", "cilium.namespace"],
    ["extraConfig.enable-ipsec", "encryption"],
    ["extraConfig.encrypt-node", "wireguard.nodeEncryption"],
    ["extraConfig.ipsec-key-file", undefined],
  ])("%s is refused for wirecloak:%s", (path, setting) => {
    const values = path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), "x");
    const [problem, ...others] = problemsOf({ cilium: { values } });
    expect(others).toEqual([]);
    expect(problem?.allowed).toBe(setting && `use wirecloak:${setting}`);
  });

  const read = Object.keys(expectedConfig(settingsOf()));
  const coupled = [
    "routing-mode",
    "tunnel",
    "tunnel-protocol",
    "ipv4-native-routing-cidr",
    "auto-direct-node-routes",
    "ipam",
  ];
  const more = [
    "cluster-pool-ipv4-cidr",
    "kube-proxy-replacement",
    "enable-hubble",
    "cluster-name",
    "enable-ipv4",
    "config",
    "config-dir",
  ];
  test.each([...read, ...coupled, ...more])("agent option %s, by extraConfig, extraArgs or extraEnv", (option) => {
    const variable = `CILIUM_${option.toUpperCase().replaceAll("-", "_")}`;
    expect(refusedKeys({ extraConfig: { [option]: "x" } })).toEqual([`.extraConfig.${option}`]);
    expect(refusedKeys({ extraArgs: [`--${option}=x`] })).toEqual([".extraArgs[0]"]);
    expect(refusedKeys({ extraEnv: [{ name: variable, value: "x" }] })).toEqual([".extraEnv[0]"]);
  });

  test.each([
    "boot-id-file",
    "enable-host-legacy-routing",
    "dnsproxy-enable-transparent-mode",
    "enable-host-firewall",
    "cni-chaining-mode",
    "cni-chaining-target",
  ])("agent option %s, with IPsec only", (option) => {
    expect(ipsec({ extraConfig: { [option]: "x" } })).toEqual([`.extraConfig.${option}`]);
    expect(refusedKeys({ extraConfig: { [option]: "x" } })).toEqual([]);
  });

  test.each(read)("agent option %s, wherever it is named", (option) => {
    expect(refusedKeys({ extraInitContainers: [{ command: ["sh", "-c", `set --${option}=x`] }] })).toEqual([
      ".extraInitContainers",
    ]);
  });

  test("each refusal names the setting to use instead, and the command that takes the value away", () => {
    const [problem] = problemsOf({ cilium: { values: { encryption: { strictMode: { enabled: true } } } } });
    expect(problem).toMatchObject({
      allowed: "use wirecloak:strict",
      fix: "pulumi config rm --path wirecloak:cilium.values.encryption.strictMode.enabled",
    });
  });

  test("keys that are no plain names are quoted for the shell", () => {
    const [problem] = problemsOf({ cilium: { values: { extraArgs: ["--enable-ipsec"] } } });
    expect(problem?.fix).toBe("pulumi config rm --path 'wirecloak:cilium.values.extraArgs[0]'");
  });
});

describe("Helm values that are the user's own are taken", () => {
  test.each<[string, unknown]>([
    ["metrics", { prometheus: { enabled: true }, operator: { prometheus: { enabled: true } } }],
    [
      "harmless agent options",
      { extraConfig: { "log-opt": "x" }, extraArgs: ["--debug"], extraEnv: [{ name: "GODEBUG", value: "1" }] },
    ],
    [
      "what is off already",
      { hostFirewall: { enabled: false }, eni: { enabled: false }, preflight: { enabled: false } },
    ],
    ["empty objects", { encryption: {}, cni: {} }],
    ["words about encryption", { podAnnotations: { note: "traffic is encrypted by wireguard" } }],
    ["image mirrors", { image: { repository: "mirror.example.com/cilium" } }],
  ])("%s", (_, values) => {
    expect(refusedKeys(values)).toEqual([]);
    expect(ipsec(values)).toEqual([]);
  });

  test("the API server's address, where Cilium does not replace kube-proxy", () => {
    const values = { k8sServiceHost: "10.0.0.1", k8sServicePort: 6443 };
    expect(refusedKeys(values, "wireguard", { kubeProxyReplacement: false })).toEqual([]);
    expect(refusedKeys(values)).toEqual([".k8sServiceHost", ".k8sServicePort"]);
  });
});
