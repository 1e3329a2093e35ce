import { POLICIES } from "../../../prover/live/admission.ts";
import { BREAK_GLASS } from "../../../prover/live/brokenGlass.ts";
import { ipsecKeyLine, keyBytes, MAX_KEY_ID } from "../ipsecKey.ts";
import { type AdmissionPolicy, admissionPolicy, type Expression, type Rule, type Validation } from "./manifests.ts";
import { ALLOWED, MODES, PARAMETER } from "./params.ts";

const CONFIG = "cilium-config";
const KEYS = "cilium-ipsec-keys";

/** All policies for the Cilium of this namespace. */
export function admissionPolicies(namespace: string): AdmissionPolicy[] {
  return [ciliumConfig, ipsecKeys, nodeConfig, agents, collections, parameter].map((policy) => policy(namespace));
}

/** Go's strconv.ParseBool, which agents read options with; any other text is off. */
const ON = "['1', 't', 'T', 'TRUE', 'true', 'True']";

/** Name and value of an `option`, `name=value`. */
const NAME = "option.split('=')[0]";
const VALUE = "option.substring(option.indexOf('=') + 1)";

/** Options that are set beside cilium-config, or in its name, keep what a line asks for. */
const KEEPS = `variables.options.all(option, (!(${NAME} in ['enable-wireguard', 'enable-ipsec']) || (${NAME} == 'enable-' + line[0]) == (${VALUE} in ${ON})) && line.all(word, !word.startsWith(${NAME} + '=') || word == option))`;

/** Those of the options that matter; the others' values are nobody's business. */
const NAMED = `variables.options.filter(option, ${NAME} in ['enable-wireguard', 'enable-ipsec', 'config', 'config-dir', 'source'] || variables.lines.exists(line, line.exists(word, word.startsWith(${NAME} + '='))))`;

/** The parameter in words by lines: a line is what one state of the cluster asks for, its mode first. During a switch there are two. */
const LINES: Expression[] = [
  {
    name: "lines",
    expression: `params.data['${ALLOWED}'].split('\\n').map(text, text.trim()).filter(text, text != '').map(text, text.split(' '))`,
  },
  { name: "open", expression: "variables.lines.exists(line, line[0] == 'none')" },
];

/**
 * Somebody has taken the object out, for a reason and until a day. CEL has no clock: the times that the API server writes into managedFields stand in for
 * one, this change's own among them. A change that only takes fields away gets no time there, so it cannot be told from one after that day.
 */
const EXEMPT: Expression[] = [
  { name: "annotations", expression: "object.metadata.?annotations.orValue({})" },
  { name: "until", expression: `variables.annotations[?'${BREAK_GLASS.until}'].orValue('')` },
  { name: "reason", expression: `variables.annotations[?'${BREAK_GLASS.reason}'].orValue('').trim()` },
  { name: "writers", expression: "object.metadata.?managedFields.orValue([])" },
  { name: "before", expression: "oldObject == null ? [] : oldObject.metadata.?managedFields.orValue([])" },
  {
    name: "timed",
    expression:
      "variables.writers.exists(writer, !variables.before.exists(old, old.manager == writer.manager && old.time == writer.time))",
  },
  {
    name: "exempt",
    expression:
      "variables.reason != '' && variables.until.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}$') && variables.timed && variables.writers.all(writer, string(writer.time).substring(0, 10) <= variables.until)",
  },
];

const AUDITED = "!variables.kept && variables.exempt ? 'until ' + variables.until + ': ' + variables.reason : ''";

/** How something is let through that is not allowed: the end of a refusal. */
const EMERGENCY = `' In an emergency annotate the object with ${BREAK_GLASS.until}: YYYY-MM-DD and ${BREAK_GLASS.reason}.' + (variables.until + variables.reason == '' ? '' : ' The annotations that it has do not count: they need a reason, a day that is not over, and a change that sets something, rather than only takes it away.')`;

/** What is allowed and what changes that. */
function allowed(namespace: string): string {
  return `'. Allowed: ' + variables.lines.map(line, line.join(' ')).join(', or ') + ' (ConfigMap ${namespace}/${PARAMETER}; pulumi up changes it with wirecloak:encryption).'`;
}

/** The judgement of a policy that knows `kept` and `exempt`. */
function judged(expression: string, words: string): Validation {
  return { expression, messageExpression: `${words} + ${EMERGENCY}` };
}

function inGroup(group: string, version: string, resources: string, operations: Rule["operations"]): Rule {
  return { apiGroups: [group], apiVersions: [version], operations, resources: [resources] };
}

/** ConfigMap cilium-config, which every agent reads when it starts. */
function ciliumConfig(namespace: string): AdmissionPolicy {
  const has =
    "(!word.contains('=') || variables.data[?word.split('=')[0]].orValue('') == word.substring(word.indexOf('=') + 1))";
  const rule = inGroup("", "v1", "configmaps", ["CREATE", "UPDATE", "DELETE"]);
  return admissionPolicy(POLICIES.config, namespace, {
    parameter: true,
    rule: { ...rule, resourceNames: [CONFIG] },
    variables: [
      ...LINES,
      ...EXEMPT,
      { name: "data", expression: "object.?data.orValue({})" },
      { name: "wireguard", expression: `variables.data[?'enable-wireguard'].orValue('') in ${ON}` },
      { name: "ipsec", expression: `variables.data[?'enable-ipsec'].orValue('') in ${ON}` },
      {
        name: "mode",
        expression:
          "variables.wireguard ? (variables.ipsec ? 'wireguard and ipsec' : 'wireguard') : (variables.ipsec ? 'ipsec' : 'none')",
      },
      // Agents know no case, and of two spellings nobody can tell which one they take.
      {
        name: "options",
        expression:
          "variables.data.filter(key, key != key.lowerAscii()).map(key, key.lowerAscii() + '=' + variables.data[key])",
      },
      {
        name: "kept",
        expression: `variables.open || variables.lines.exists(line, line[0] == variables.mode && line.all(word, ${has}) && ${KEEPS})`,
      },
      {
        name: "without",
        expression: `variables.lines.filter(line, line[0] == variables.mode).map(line, line.filter(word, !${has}).join(' ')).join(' ')`,
      },
    ],
    validations: [
      {
        expression: "request.operation != 'DELETE' || variables.open",
        message: `${CONFIG} cannot be deleted while encryption is on: agents without it do not start. pulumi destroy takes this policy away first; without Pulumi, let ConfigMap ${namespace}/${PARAMETER} allow none before.`,
      },
      judged(
        "request.operation == 'DELETE' || variables.kept || variables.exempt",
        `'${CONFIG} would not keep encryption as it is: it says ' + variables.mode + (variables.without == '' ? '' : ' without ' + variables.without) + (variables.options.size() == 0 ? '' : ', and ' + ${NAMED}.join(' ')) + ${allowed(namespace)}`,
      ),
    ],
    audited: `request.operation == 'DELETE' ? '' : (${AUDITED})`,
  });
}

/** Secret cilium-ipsec-keys. CEL cannot decode base64, so the text is compared as it is kept; nothing of it is in a message. */
function ipsecKeys(namespace: string): AdmissionPolicy {
  const { prefixes, lengths } = keyTexts();
  const rule = inGroup("", "v1", "secrets", ["CREATE", "UPDATE", "DELETE"]);
  const list = (texts: readonly (string | number)[]) =>
    `[${texts.map((text) => (typeof text === "number" ? text : `'${text}'`)).join(", ")}]`;
  return admissionPolicy(POLICIES.keys, namespace, {
    parameter: true,
    rule: { ...rule, resourceNames: [KEYS] },
    variables: [
      ...LINES,
      ...EXEMPT,
      { name: "used", expression: "variables.lines.exists(line, line[0] == 'ipsec')" },
      { name: "text", expression: "string(object.?data['keys'].orValue(''))" },
      {
        name: "kept",
        expression: `!variables.used || (${list(prefixes)}.exists(prefix, variables.text.startsWith(prefix)) && variables.text.size() in ${list(lengths)})`,
      },
    ],
    validations: [
      {
        expression: "request.operation != 'DELETE' || !variables.used",
        message: `${KEYS} cannot be deleted while ipsec is allowed: agents without it do not start. It goes with a switch of wirecloak:encryption, once the new mode is proven; pulumi destroy takes this policy away first.`,
      },
      judged(
        "request.operation == 'DELETE' || variables.kept || variables.exempt",
        `'${KEYS} would hold another key than Wirecloak makes: ID+ rfc4106(gcm(aes)) KEY 128, with an ID of 1 to ${MAX_KEY_ID}, the plus sign, and ${keyBytes(128)} or ${keyBytes(256)} bytes in hex. A rotation is made with: wirecloak rotate.'`,
      ),
    ],
    audited: `request.operation == 'DELETE' ? '' : (${AUDITED})`,
  });
}

/** What a good key line looks like in base64: how it begins, up to the key itself, and how long it is. */
function keyTexts(): { prefixes: string[]; lengths: number[] } {
  const ids = Array.from({ length: MAX_KEY_ID }, (_, index) => index + 1);
  const text = (id: number, bits: 128 | 256, end = "") =>
    Buffer.from(ipsecKeyLine(id, "0".repeat(2 * keyBytes(bits))) + end).toString("base64");
  // 21 bytes: the id, `+`, the algorithm, and of an id of one digit the space behind it.
  const prefixes = ids.map((id) => text(id, 128).slice(0, 28));
  const all = ids.flatMap((id) => ([128, 256] as const).flatMap((bits) => [text(id, bits), text(id, bits, "\n")]));
  return { prefixes, lengths: [...new Set(all.map(({ length }) => length))].sort((a, b) => a - b) };
}

/** CiliumNodeConfigs override cilium-config on the nodes that they select. */
function nodeConfig(namespace: string): AdmissionPolicy {
  return admissionPolicy(POLICIES.nodeConfig, namespace, {
    parameter: true,
    rule: inGroup("cilium.io", "*", "ciliumnodeconfigs", ["CREATE", "UPDATE"]),
    variables: [
      ...LINES,
      ...EXEMPT,
      { name: "data", expression: "object.?spec.?defaults.orValue({})" },
      {
        name: "options",
        expression: "variables.data.map(key, key.lowerAscii() + '=' + string(variables.data[key]))",
      },
      { name: "kept", expression: `variables.open || variables.lines.exists(line, ${KEEPS})` },
    ],
    validations: [
      judged(
        "variables.kept || variables.exempt",
        `'this CiliumNodeConfig would not keep encryption as it is on the nodes that it selects: ' + ${NAMED}.join(' ') + ${allowed(namespace)}`,
      ),
    ],
    audited: AUDITED,
  });
}

/** A long flag in a command line, also within a shell's; RE2, by findAll. */
const FLAG = `(?:^|[\\s"';&|(])--[A-Za-z][A-Za-z0-9_-]*(?:=[^\\s"';&|)]*)?`;

/** Where the chart puts cilium-config in the agent's pod. */
const CONFIG_DIR = "config-dir=/tmp/cilium/config-map";

/** DaemonSet cilium: what its containers are started with wins over cilium-config. */
function agents(namespace: string): AdmissionPolicy {
  const lines = (each: string) => `variables.containers.map(each, ${each}.join('\\n')).join('\\n')`;
  return admissionPolicy(POLICIES.agents, namespace, {
    parameter: true,
    rule: { ...inGroup("apps", "v1", "daemonsets", ["CREATE", "UPDATE"]), resourceNames: ["cilium"] },
    variables: [
      ...LINES,
      ...EXEMPT,
      {
        name: "containers",
        expression: "object.spec.template.spec.containers + object.spec.template.spec.?initContainers.orValue([])",
      },
      { name: "commands", expression: lines("(each.?command.orValue([]) + each.?args.orValue([]))") },
      {
        name: "flags",
        expression: `variables.commands.findAll(${quoted(FLAG)}).map(flag, flag.substring(flag.indexOf('--') + 2))`,
      },
      // Without a value where it comes from elsewhere, which keeps nothing.
      {
        name: "environment",
        expression: `${lines("each.?env.orValue([]).map(entry, entry.name + '=' + entry.?value.orValue(''))")}.split('\\n').filter(entry, entry.matches('^(?i)cilium_')).map(entry, entry.substring(7))`,
      },
      {
        name: "options",
        expression: `(variables.flags + variables.environment).map(option, option.contains('=') ? option : option + '=true').map(option, ${NAME}.lowerAscii().replace('_', '-') + option.substring(option.indexOf('=')))`,
      },
      {
        name: "kept",
        expression: `variables.open || (variables.options.all(option, !(${NAME} in ['config', 'config-dir', 'source']) || option == '${CONFIG_DIR}') && variables.lines.exists(line, ${KEEPS}))`,
      },
    ],
    validations: [
      judged(
        "variables.kept || variables.exempt",
        `'DaemonSet cilium would start its agents so that they do not keep encryption as it is: ' + ${NAMED}.join(' ') + ${allowed(namespace)}`,
      ),
    ],
    audited: AUDITED,
  });
}

/** The others are asked by an object's name, and a request to delete all of a kind gives none. */
function collections(namespace: string): AdmissionPolicy {
  const rule = inGroup("", "v1", "configmaps", ["DELETE"]);
  return admissionPolicy(POLICIES.collections, namespace, {
    parameter: false,
    rule: { ...rule, resources: ["configmaps", "secrets"] },
    conditions: [
      { name: "of-a-collection", expression: "request.?name.orValue('') == ''" },
      {
        name: "of-cilium",
        expression: `oldObject != null && oldObject.metadata.name in ['${CONFIG}', '${KEYS}', '${PARAMETER}']`,
      },
    ],
    validations: [
      {
        expression: "false",
        messageExpression: `'all of a kind cannot be deleted here: ' + oldObject.metadata.name + ' is among them. Delete by name what is to go.'`,
      },
    ],
  });
}

/** The parameter itself: who may change the policies may change it, and nobody else. */
function parameter(namespace: string): AdmissionPolicy {
  const rule = inGroup("", "v1", "configmaps", ["CREATE", "UPDATE", "DELETE"]);
  const binding = `authorizer.group('admissionregistration.k8s.io').resource('validatingadmissionpolicybindings').name('${POLICIES.config}')`;
  return admissionPolicy(POLICIES.parameter, namespace, {
    parameter: false,
    rule: { ...rule, resourceNames: [PARAMETER] },
    variables: [
      {
        name: "lines",
        expression: `object.?data['${ALLOWED}'].orValue('').split('\\n').map(text, text.trim()).filter(text, text != '')`,
      },
    ],
    validations: [
      {
        expression: `${binding}.check('update').allowed()`,
        message: `${PARAMETER} says what the admission policies let through, so it takes the right to update ValidatingAdmissionPolicyBinding ${POLICIES.config}. pulumi up changes it with wirecloak:encryption.`,
      },
      {
        expression: `request.operation == 'DELETE' || (variables.lines.size() > 0 && variables.lines.all(text, text.split(' ')[0] in [${MODES.map((mode) => `'${mode}'`).join(", ")}]))`,
        message: `${PARAMETER} needs the key ${ALLOWED}: an alternative a line, which begins with ${MODES.join(", ")}.`,
      },
    ],
  });
}

/** A text as a string of CEL. */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
