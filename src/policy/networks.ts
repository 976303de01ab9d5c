/** Networks as a set that is asked about addresses: a look-up for each length of prefix that it has, never a scan. */

const IPV4_BITS = 32;
const IPV6_BITS = 128;

interface Address {
  readonly bits: typeof IPV4_BITS | typeof IPV6_BITS;
  readonly value: bigint;
}

/** An address, or one with a prefix length; undefined for anything else, and for a prefix with bits beyond its length. */
function parseNetwork(text: string): (Address & { readonly length: number }) | undefined {
  const [, address = '', written] = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/iu.exec(text) ?? [];
  const parsed = parseAddress(address);
  if (parsed === undefined) return undefined;
  // An address that maps an IPv4 one is that one, and so is its network.
  const mapped = parsed.bits === IPV4_BITS && address.includes(':') ? IPV6_BITS - IPV4_BITS : 0;
  const length = written === undefined ? parsed.bits : Number(written) - mapped;
  if (length < 0 || length > parsed.bits) return undefined;
  const host = BigInt(parsed.bits - length);
  return (parsed.value >> host) << host === parsed.value ? { ...parsed, length } : undefined;
}

/** Undefined for what is no address. An IPv6 address that maps an IPv4 one (RFC 4291 §2.5.5.2) is that one. */
function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const value = parseIpv4(text);
    return value === undefined ? undefined : { bits: IPV4_BITS, value };
  }
  const value = parseIpv6(text);
  if (value === undefined) return undefined;
  if (value >> 32n === 0xffffn) return { bits: IPV4_BITS, value: value & 0xffff_ffffn };
  return { bits: IPV6_BITS, value };
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    // No leading zeros: some readers take them for octal.
    if (!/^(?:0|[1-9]\d{0,2})$/u.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parseIpv6(text: string): bigint | undefined {
  const [head = '', tail, more] = text.split('::');
  if (more !== undefined) return undefined;
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...Array<bigint>(missing).fill(0n), ...right];
  return groups.reduce((value, group) => (value << 16n) | group, 0n);
}

function groupsOf(text: string): readonly bigint[] | undefined {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const ipv4 = index === parts.length - 1 && part.includes('.') ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4 >> 16n, ipv4 & 0xffffn);
    else if (/^[0-9a-f]{1,4}$/iu.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

/** Has every address that is in one of its networks. It cannot be gone through. */
export class Networks extends Map<string, true> {
  /** By bits of the address and length of the prefix. */
  private readonly prefixes = new Map<number, Map<number, Set<bigint>>>();
  private count = 0;

  /** False for what is no address and no network. */
  include(text: string): boolean {
    const network = parseNetwork(text);
    if (network === undefined) return false;
    const { bits, value, length } = network;
    const byLength = this.prefixes.get(bits) ?? new Map<number, Set<bigint>>();
    this.prefixes.set(bits, byLength);
    const values = byLength.get(length) ?? new Set<bigint>();
    byLength.set(length, values);
    const prefix = value >> BigInt(bits - length);
    if (!values.has(prefix)) this.count++;
    values.add(prefix);
    return true;
  }

  override get size(): number {
    return this.count;
  }

  override get(address: string): true | undefined {
    const parsed = typeof address === 'string' ? parseAddress(address) : undefined;
    if (parsed === undefined) return undefined;
    const { bits, value } = parsed;
    for (const [length, values] of this.prefixes.get(bits) ?? [])
      if (values.has(value >> BigInt(bits - length))) return true;
    return undefined;
  }

  override has(address: string): boolean {
    return this.get(address) === true;
  }
}
