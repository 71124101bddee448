/** Why a row cannot be taken as it is. */
export class RowProblem extends Error {}
