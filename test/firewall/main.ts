// `make firewall`: what each rendering of the guard does with every packet of the corpus, by mode, Cilium version and network; and what security groups cannot tell.
import { CLOSED, indistinguishable } from "../../components/encryption/guard/securityGroup.ts";
import { judgements, printed } from "./table.ts";

const lines = judgements();
console.log(printed(lines));

console.log("\ncannot tell: a security group lets pass what nftables drops");
for (const sentence of indistinguishable(["wireguard", "ipsec"])) console.log(`- ${sentence}`);
console.log("\nclosed: a security group drops what nftables lets pass");
for (const sentence of Object.values(CLOSED)) console.log(`- ${sentence}`);

const refused = [...new Set(lines.flatMap((line) => ("refused" in line ? line.refused : [])))];
if (refused.length > 0) console.log(`\nrefused:\n${refused.join("\n")}`);

const wrong = lines.flatMap((line) => ("refused" in line ? [] : line.wrong.map((one) => ({ line, ...one }))));
for (const { line, packet, right, found } of wrong)
  console.log(
    `!! ${line.mode}, ${line.cilium}, ${line.network}, ${line.rendering}: ${packet.what}: ${found}, not ${right}`,
  );
const judged = lines.filter((line) => !("refused" in line)).length;
console.log(`\n${judged} tables of rules, ${lines.length - judged} refused; ${wrong.length} disagreements`);
process.exitCode = wrong.length > 0 ? 1 : 0;
