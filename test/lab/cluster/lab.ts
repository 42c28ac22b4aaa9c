/** Name of the lab that the tests of this folder share, for whoever runs several at once. */
export const LAB = process.env.PGHERD_TEST_LAB ?? "t-cluster";
