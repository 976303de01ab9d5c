import { logAdd, logMeanExp } from './log-space.ts';

/**
 * How much a run of data speaks against a null hypothesis: the wealth of a gambler who bets against
 * it and, while it is true, cannot expect to gain (an e-process). Ville: the chance that the wealth
 * *ever* reaches 1/alpha under the null is at most alpha, however often somebody looks.
 *
 * One bet per alternative of a grid, averaged. With `lateStarts` each alternative is in turn a
 * mixture over the step at which its bet begins, with weights 1/(j(j+1)): what was never staked is
 * still owned, 1/(n+1) after n steps. The sum of the weights is 1, so this is an e-process as well;
 * it costs ln 2 against betting all at the first step, and in return harm that begins after a long
 * quiet time is found at a price of about 2 ln n instead of having to win back all that was lost
 * (prior-weighted Shiryaev-Roberts; Shin, Ramdas and Rinaldo, arXiv 2203.03532).
 *
 * A step costs one exponential per alternative.
 */
export class EProcess {
  readonly #logStakes: Float64Array;
  readonly #lateStarts: boolean;
  #steps = 0;
  #logWealth = 0;
  #logPeak = 0;

  constructor(alternatives: number, lateStarts: boolean) {
    this.#logStakes = new Float64Array(alternatives).fill(lateStarts ? -Infinity : 0);
    this.#lateStarts = lateStarts;
  }

  /** ln of the wealth now; 0 before the first step. */
  get logWealth(): number {
    return this.#logWealth;
  }

  /** ln of the highest wealth so far: what Ville's inequality bounds. */
  get logPeak(): number {
    return this.#logPeak;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Takes ln of the step's factor for each alternative: 0 for an alternative that sits this step out. */
  step(logFactors: ArrayLike<number>): void {
    const stakes = this.#logStakes;
    this.#steps += 1;
    const n = this.#steps;
    const logNewStake = -Math.log(n) - Math.log(n + 1);
    for (let k = 0; k < stakes.length; k++) {
      const stake = this.#lateStarts ? logAdd(stakes[k]!, logNewStake) : stakes[k]!;
      stakes[k] = stake + logFactors[k]!;
    }
    const played = logMeanExp(stakes);
    this.#logWealth = this.#lateStarts ? logAdd(played, -Math.log(n + 1)) : played;
    if (this.#logWealth > this.#logPeak) this.#logPeak = this.#logWealth;
  }
}
