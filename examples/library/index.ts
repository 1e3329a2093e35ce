import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import * as pulumi from "@pulumi/pulumi";
import { EncryptedCluster } from "wirecloak";

// What differs from machine to machine, and what `pulumi config set encryption ipsec` changes, is this program's own config.
const config = new pulumi.Config();

const cluster = new EncryptedCluster("ex-lib", {
  encryption: config.get<"wireguard" | "ipsec">("encryption") ?? "wireguard",
  cluster: { workers: 1, ...config.requireObject<{ provider: "kind" | "rehearsal"; name: string }>("cluster") },
  cilium: config.getObject<{ chart: string }>("cilium") ?? {},
  proof: { seconds: 2 },
});

const labels = { app: "web" };
const web = new Deployment(
  "web",
  {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "web", image: "nginx:1.29.3-alpine", ports: [{ containerPort: 80 }] }] },
      },
    },
  },
  // After the proof, and gone with the cluster.
  { provider: cluster.provider, ...cluster.lifetime },
);

export const { verdict, statement, reasons, evidence, intent, kubeconfigPath, context } = cluster;
export const replicas = web.status.readyReplicas;
