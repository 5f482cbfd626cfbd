export const scale = (value: number, by: number): number => Math.round(value * by * 1000) / 1000;
