import { expect, test } from "vitest";
import { calendarOf, isSchedule, longestGapDays, windowDays } from "../../src/config/schedule";

test.each([
  ["0 2 * * *", "*-*-* 2:0:00"],
  ["30 1,13 * * *", "*-*-* 1,13:30:00"],
  ["*/20 * * * *", "*-*-* *:0,20,40:00"],
  ["0 2 * * 1-5", "Mon,Tue,Wed,Thu,Fri *-*-* 2:0:00"],
  ["0 5 * * 0", "Sun *-*-* 5:0:00"],
  ["0 5 * * 7", "Sun *-*-* 5:0:00"],
  ["15 4 1,15 * *", "*-*-1,15 4:15:00"],
  ["0 0 1 */3 *", "*-1,4,7,10-1 0:0:00"],
])("%s is %s for systemd", (schedule, calendar) => {
  expect(isSchedule(schedule)).toBe(true);
  expect(calendarOf(schedule)).toBe(calendar);
});

test.each([
  ["too few fields", "0 2 * *"],
  ["a minute too many", "60 2 * * *"],
  ["a range that goes backwards", "0 5-2 * * *"],
  ["a name", "@daily"],
  ["a day that never comes", "0 2 31 2 *"],
  ["a day of the month and one of the week, which cron takes as either", "0 2 1 * 1"],
])("%s is no schedule", (_what, schedule) => {
  expect(isSchedule(schedule)).toBe(false);
});

test.each([
  ["0 2 * * *", 1],
  ["0 2,14 * * *", 1],
  ["0 2 * * 0", 7],
  ["0 2 * * 1-5", 3],
  ["0 2 1 * *", 31],
])("between two days of %s lie up to %i", (schedule, days) => {
  expect(longestGapDays(schedule)).toBe(days);
});

test("Barman's recovery windows are told in days", () => {
  expect(windowDays("RECOVERY WINDOW OF 7 DAYS")).toBe(7);
  expect(windowDays("RECOVERY WINDOW OF 2 WEEKS")).toBe(14);
  expect(windowDays("RECOVERY WINDOW OF 1 MONTHS")).toBe(30);
});
