import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubeSystemUid, readKubeconfig } from "../../components/cluster/kubeconfig.ts";
import { UserError } from "../../components/userError.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function kubeconfig(text: string): string {
  const path = join(folder, "config");
  writeFileSync(path, text);
  return path;
}

const two = (server: string) => `
current-context: one
contexts: [{ name: one, context: { cluster: c } }, { name: other, context: { cluster: d } }]
clusters: [{ name: c, cluster: { server: "${server}" } }, { name: d, cluster: { server: "https://d:1" } }]
`;

describe("the cluster that a kubeconfig means", () => {
  test.each([
    ["https://api.example:6443", { host: "api.example", port: 6443 }],
    ["https://api.example", { host: "api.example", port: 443 }],
    ["http://localhost", { host: "localhost", port: 80 }],
    ["https://[fd00::1]:6443", { host: "fd00::1", port: 6443 }],
    ["https://api.example/k8s/clusters/c-1", { host: "api.example", port: 443 }],
  ])("%s is %j", (server, apiServer) => {
    expect(readKubeconfig(kubeconfig(two(server))).apiServer).toEqual(apiServer);
  });

  test("is the current context's, or that of the context asked for", () => {
    const path = kubeconfig(two("https://c:1"));
    expect(readKubeconfig(path)).toMatchObject({ context: "one", apiServer: { host: "c" } });
    expect(readKubeconfig(path, "other")).toMatchObject({ context: "other", apiServer: { host: "d" } });
  });

  test.each([
    ["the file is missing", () => join(folder, "none"), undefined, /There is no such file/],
    ["the path is a folder", () => folder, undefined, /cannot be read/],
    ["it is not YAML", () => kubeconfig("a: [b"), undefined, /not a kubeconfig/],
    ["it is empty", () => kubeconfig(""), undefined, /not a kubeconfig/],
    [
      "there is no such context, and the others are named",
      () => kubeconfig(two("https://c:1")),
      "gone",
      /no such context[\s\S]*one, other/,
    ],
    [
      "there is no current context",
      () => kubeconfig("contexts: [{ name: one, context: {} }]"),
      undefined,
      /no current context/,
    ],
    [
      "the context's cluster is missing",
      () => kubeconfig("current-context: a\ncontexts: [{ name: a, context: { cluster: b } }]"),
      undefined,
      /no server/,
    ],
    ["the server is no URL", () => kubeconfig(two("what?")), undefined, /no server with a URL/],
  ])("is refused where %s", (_why, path, context, message) => {
    const read = () => readKubeconfig(path(), context);
    expect(read).toThrow(UserError);
    expect(read).toThrow(message);
  });

  test("a file that is not YAML is not quoted, since keys may be in it", () => {
    expect(() => readKubeconfig(kubeconfig("token: 'geheim\n"))).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("geheim") }),
    );
  });
});

describe("asking a cluster who it is", () => {
  const target = { kubeconfig: "/k", context: "there", apiServer: { host: "api", port: 6443 } };
  const answering = (answer: object) => async () => ({ code: 1, stdout: "", stderr: "", ...answer });

  test("gives the UID of kube-system, asked of this very file and context", async () => {
    const asked: string[][] = [];
    const uid = await kubeSystemUid(target, async (args) => {
      asked.push(args);
      return { code: 0, stdout: "uid", stderr: "" };
    });
    expect(uid).toBe("uid");
    expect(asked[0]).toEqual(expect.arrayContaining(["--kubeconfig=/k", "--context=there"]));
  });

  test.each([
    [
      "nothing listens there",
      { stderr: "The connection to the server api:6443 was refused - did you specify the right host or port?\n" },
      /nothing listens on api:6443/,
    ],
    [
      "nothing listens there (dial)",
      { stderr: "dial tcp 1.2.3.4:6443: connect: connection refused" },
      /nothing listens/,
    ],
    ["its name is unknown", { stderr: "dial tcp: lookup api: no such host" }, /api cannot be resolved/],
    [
      "its certificate is another's",
      { stderr: "tls: failed to verify certificate: x509: certificate signed by unknown authority" },
      /TLS fails/,
    ],
    [
      "the credentials are not accepted",
      { stderr: "error: You must be logged in to the server (Unauthorized)" },
      /does not accept the credentials/,
    ],
    [
      "the credentials may not",
      { stderr: "Error from server (Forbidden): namespaces is forbidden" },
      /needs an administrator/,
    ],
    [
      "it takes too long",
      { stderr: "Unable to connect: context deadline exceeded" },
      /no answer from api:6443 within 5 s/,
    ],
    ["kubectl itself had to be ended", { failure: "SIGTERM" }, /no answer from api:6443 within 5 s/],
    ["there is no kubectl", { failure: "ENOENT" }, /not on PATH/],
    ["it says something we do not know", { stderr: "a\nstrange days" }, /strange days/],
  ])("fails with the cause where %s", async (_why, answer, message) => {
    const asking = kubeSystemUid(target, answering({ code: null, ...answer }));
    await expect(asking).rejects.toThrow(UserError);
    await expect(asking).rejects.toThrow(message);
  });
});
