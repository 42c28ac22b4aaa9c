/**
 * The exit code of a script that has got no answer from a DCS, by none of its endpoints: another host may get one. It is
 * EX_TEMPFAIL of sysexits.h, which no program that pgherd runs ends with.
 */
export const NO_ANSWER = 75;
