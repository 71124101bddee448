/** How far a look over the fleet has come, for whoever ends it early. */
export class Tally {
  /** Databases that are known to be there, and those that were looked at. */
  databases = 0;
  looked = 0;
}
