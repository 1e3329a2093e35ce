/** What a kubeconfig of an EKS cluster says. Nothing in it is a credential: those come from the AWS CLI, each time. */
export interface EksTarget {
  name: string;
  region: string;
  /** `https://...` */
  endpoint: string;
  /** In base64, as EKS gives it. */
  certificateAuthority: string;
}

/** A kubeconfig with one context, its current one. JSON, which is YAML. */
export function eksKubeconfig({ name, region, endpoint, certificateAuthority }: EksTarget): string {
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1beta1",
    command: "aws",
    args: ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"],
    interactiveMode: "Never",
  };
  return `${JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name, cluster: { server: endpoint, "certificate-authority-data": certificateAuthority } }],
      users: [{ name, user: { exec } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      "current-context": name,
    },
    null,
    2,
  )}\n`;
}
