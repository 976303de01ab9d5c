/**
 * What `safe` was after each unit of a text, kept as straight pieces: flat while something is held, rising by
 * one per unit while nothing is, or while a window slides. A few pieces per word of prose.
 */

interface Piece {
  /** Units consumed at its first point. */
  readonly units: number;
  readonly safe: number;
  /** 0 or 1; open while the piece has one point only. */
  slope: 0 | 1 | undefined;
}

/** Pieces dropped before the list is copied: keeps `forget` O(1) on average. */
const SLACK_PIECES = 64;

export class SafeHistory {
  private readonly pieces: Piece[] = [{ units: 0, safe: 0, slope: undefined }];
  private first = 0;
  private units = 0;

  /** Records the value after `units` units; called for every unit, in order. */
  add(units: number, safe: number): void {
    const last = this.pieces[this.pieces.length - 1] as Piece;
    this.units = units;
    const rise = safe - last.safe;
    if (last.slope === undefined) {
      if (rise === 0 || rise === 1) {
        last.slope = rise;
        return;
      }
    } else if (rise === last.slope * (units - last.units)) return;
    this.pieces.push({ units, safe, slope: undefined });
  }

  /** Records that nothing was held after each of the units up to `units`. O(1). */
  rise(units: number): void {
    while (this.units < units) {
      const last = this.pieces[this.pieces.length - 1] as Piece;
      if (last.slope === 1 && last.safe === last.units) this.units = units;
      else this.add(this.units + 1, this.units + 1);
    }
  }

  /** The value after `units` units. Throws RangeError for what is forgotten or not yet seen. O(log pieces). */
  at(units: number): number {
    let low = this.first;
    let high = this.pieces.length - 1;
    if (units > this.units || units < (this.pieces[low] as Piece).units)
      throw new RangeError('no history there');
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.pieces[middle] as Piece).units <= units) low = middle;
      else high = middle - 1;
    }
    const piece = this.pieces[low] as Piece;
    return piece.safe + (piece.slope ?? 0) * (units - piece.units);
  }

  /** Drops what only answers for fewer than `units` units. */
  forget(units: number): void {
    while (
      this.first + 1 < this.pieces.length &&
      (this.pieces[this.first + 1] as Piece).units <= units
    )
      this.first++;
    if (this.first > SLACK_PIECES && this.first * 2 > this.pieces.length) {
      this.pieces.splice(0, this.first);
      this.first = 0;
    }
  }
}
