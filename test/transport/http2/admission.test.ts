/** Who gives way when a listener is full. */
import assert from 'node:assert/strict';
import {
  Admission,
  EVICTED_IDLE_MS,
  type Visitor,
} from '../../../src/transport/http2/admission.ts';

class Guest implements Visitor {
  state: Visitor['state'] = 'half-open';
  idleSinceMs: number | undefined;
  evicted = false;
  evict(): void {
    this.evicted = true;
  }
}

function full(count: number): { admission: Admission; guests: Guest[] } {
  const admission = new Admission(count);
  const guests = Array.from({ length: count }, () => new Guest());
  for (const guest of guests) assert.ok(admission.admit(guest, 0));
  return { admission, guests };
}
const evicted = (guests: readonly Guest[]): number[] =>
  guests.flatMap((guest, at) => (guest.evicted ? [at] : []));
function atWork(guests: readonly Guest[]): void {
  for (const guest of guests) guest.state = 'established';
}

describe('admission', () => {
  it('asks nobody to leave while there is a place', () => {
    const { admission, guests } = full(3);
    assert.equal(admission.size, 3);
    assert.deepEqual(evicted(guests), []);
    admission.left(guests[1] as Guest);
    assert.ok(admission.admit(new Guest(), 0));
    assert.deepEqual(evicted(guests), []);
  });

  it('lets the oldest go that has not said who it is, and never more than one', () => {
    const { admission, guests } = full(4);
    (guests[0] as Guest).state = 'established';
    assert.ok(admission.admit(new Guest(), 0));
    assert.deepEqual(evicted(guests), [1]);
    assert.ok(admission.admit(new Guest(), 0));
    assert.deepEqual(evicted(guests), [1, 2]);
    assert.equal(admission.size, 4);
  });

  it('lets one go first that was ended and lingers', () => {
    const { admission, guests } = full(3);
    const [, , last] = guests as [Guest, Guest, Guest];
    last.state = 'over';
    admission.lingers(last);
    assert.ok(admission.admit(new Guest(), 0));
    assert.deepEqual(evicted(guests), [2]);
  });

  it('lets the one go that was idle for the longest, from a second on', () => {
    const { admission, guests } = full(3);
    atWork(guests);
    const [first, second] = guests as [Guest, Guest, Guest];
    first.idleSinceMs = 20;
    second.idleSinceMs = 10;
    assert.equal(admission.admit(new Guest(), 10 + EVICTED_IDLE_MS - 1), false);
    assert.deepEqual(evicted(guests), []);
    assert.ok(admission.admit(new Guest(), 10 + EVICTED_IDLE_MS));
    assert.deepEqual(evicted(guests), [1]);
  });

  it('turns a newcomer away where all are at work', () => {
    const { admission, guests } = full(2);
    atWork(guests);
    assert.equal(admission.admit(new Guest(), 1e9), false);
    assert.equal(admission.size, 2);
    assert.deepEqual(evicted(guests), []);
  });
});
