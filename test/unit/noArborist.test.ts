import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { projectRoot } from "../../tools/paths.ts";

test("the Pulumi SDK gets our stand-in for npm's installer, which says what it is where it is used", () => {
  const ofSdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));
  const found = ofSdk.resolve("@npmcli/arborist");
  expect(realpathSync(found)).toBe(realpathSync(join(projectRoot, "tools/noArborist/index.cjs")));
  const { Arborist } = ofSdk("@npmcli/arborist");
  expect(() => new Arborist({ path: "." })).toThrow(/leaves @npmcli\/arborist out.*tools\/noArborist/);
});
