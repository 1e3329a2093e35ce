import { getSubnetOutput } from "@pulumi/aws/ec2/getSubnet.js";
import * as pulumi from "@pulumi/pulumi";
import type { EksVpcSettings } from "../../settings.ts";
import { UserError } from "../../userError.ts";
import { misplaced } from "../eksSubnet.ts";

/** The ids of subnets that are there; one error, in a preview too, where nodes in some of them would be out of the guard's sight. */
export function givenSubnets(
  ids: readonly string[],
  vpc: EksVpcSettings,
  opts: pulumi.InvokeOutputOptions,
): pulumi.Output<string>[] {
  const seen = pulumi.all(ids.map((id) => getSubnetOutput({ id }, opts)));
  const checked = seen.apply((subnets) => {
    const problems = misplaced(
      subnets.map(({ vpcId, cidrBlock }, index) => ({ id: ids[index] ?? "", vpcId, cidrBlock })),
      vpc,
    );
    // Not thrown as they are: the engine would print the error as an object.
    if (problems.length > 0) throw new pulumi.RunError(new UserError(problems).message);
    return ids;
  });
  return ids.map((id) => checked.apply(() => id));
}
