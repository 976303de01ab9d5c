/** Keccak-256 as Ethereum has it (the padding from before FIPS 202) of fewer bytes than one block. */

const RATE_BYTES = 136;
const LANES = 25;
const ROUNDS = 24;
const DIGEST_BYTES = 32;

/** Of a lane of 64 bits, two words: first the lower one. */
const WORDS = 2 * LANES;

/** By the Keccak reference, §1.2: constants from a shift register, offsets along a walk of the lanes. */
const constants = new Int32Array(2 * ROUNDS);
for (let round = 0, register = 1; round < ROUNDS; round++)
  for (let bit = 0; bit < 7; bit++) {
    const place = 2 ** bit - 1;
    if (register & 1) constants[2 * round + (place >> 5)]! |= 1 << (place & 31);
    register = register & 0x80 ? (register << 1) ^ 0x171 : register << 1;
  }
/** By lane: how far it is turned, and where it goes. */
const offsets = new Int32Array(LANES);
const targets = new Int32Array(LANES);
for (let step = 0, x = 1, y = 0; step < ROUNDS; step++) {
  offsets[x + 5 * y] = (((step + 1) * (step + 2)) / 2) % 64;
  [x, y] = [y, (2 * x + 3 * y) % 5];
}
for (let x = 0; x < 5; x++)
  for (let y = 0; y < 5; y++) targets[x + 5 * y] = y + 5 * ((2 * x + 3 * y) % 5);

const lanes = new Int32Array(WORDS);
const moved = new Int32Array(WORDS);
const columns = new Int32Array(10);

/** The upper of two words that `high` and `low` are turned left to; the lower one is that of `low` and `high`. */
const turned = (high: number, low: number, bits: number): number => {
  const one = bits < 32 ? high : low;
  const other = bits < 32 ? low : high;
  const by = bits & 31;
  return by === 0 ? one : (one << by) | (other >>> (32 - by));
};

function permute(): void {
  for (let round = 0; round < ROUNDS; round++) {
    for (let word = 0; word < 10; word++)
      columns[word] =
        (lanes[word] as number) ^
        (lanes[word + 10] as number) ^
        (lanes[word + 20] as number) ^
        (lanes[word + 30] as number) ^
        (lanes[word + 40] as number);
    for (let x = 0; x < 5; x++) {
      const left = 2 * ((x + 4) % 5);
      const right = 2 * ((x + 1) % 5);
      const low = columns[right] as number;
      const high = columns[right + 1] as number;
      const lowChange = (columns[left] as number) ^ ((low << 1) | (high >>> 31));
      const highChange = (columns[left + 1] as number) ^ ((high << 1) | (low >>> 31));
      for (let word = 2 * x; word < WORDS; word += 10) {
        lanes[word]! ^= lowChange;
        lanes[word + 1]! ^= highChange;
      }
    }
    for (let lane = 0; lane < LANES; lane++) {
      const low = lanes[2 * lane] as number;
      const high = lanes[2 * lane + 1] as number;
      const bits = offsets[lane] as number;
      const target = 2 * (targets[lane] as number);
      moved[target] = turned(low, high, bits);
      moved[target + 1] = turned(high, low, bits);
    }
    for (let row = 0; row < WORDS; row += 10)
      for (let word = 0; word < 10; word++)
        lanes[row + word] =
          (moved[row + word] as number) ^
          (~(moved[row + ((word + 2) % 10)] as number) &
            (moved[row + ((word + 4) % 10)] as number));
    lanes[0]! ^= constants[2 * round] as number;
    lanes[1]! ^= constants[2 * round + 1] as number;
  }
}

/** Throws RangeError for what does not fit one block. Cost: some microseconds. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= RATE_BYTES) throw new RangeError('one block only');
  lanes.fill(0);
  for (let at = 0; at < bytes.length; at++)
    lanes[at >> 2]! ^= (bytes[at] as number) << (8 * (at & 3));
  lanes[bytes.length >> 2]! ^= 1 << (8 * (bytes.length & 3));
  lanes[(RATE_BYTES - 1) >> 2]! ^= 0x80 << 24;
  permute();
  return Uint8Array.from(
    { length: DIGEST_BYTES },
    (_, at) => (lanes[at >> 2] as number) >>> (8 * (at & 3)),
  );
}
