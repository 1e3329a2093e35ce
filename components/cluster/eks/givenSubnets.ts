import { getSubnetOutput } from "@pulumi/aws/ec2/getSubnet.js";
import type * as pulumi from "@pulumi/pulumi";
import type { EksVpcSettings } from "../../settings.ts";
import { UserError } from "../../userError.ts";
import { misplaced } from "../eksSubnet.ts";

/** The id of a subnet that is there; an error, in a preview too, where nodes in it would be out of the guard's sight. */
export function givenSubnet(id: string, vpc: EksVpcSettings, opts: pulumi.InvokeOutputOptions): pulumi.Output<string> {
  return getSubnetOutput({ id }, opts).apply(({ vpcId, cidrBlock }) => {
    const problem = misplaced({ id, vpcId, cidrBlock }, vpc);
    if (problem) throw new UserError([problem]);
    return id;
  });
}
