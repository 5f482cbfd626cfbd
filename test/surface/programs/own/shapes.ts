/** A class in a module of its own, and what makes one. */
export class Circle {
  readonly radius: number;
  constructor(radius: number) {
    this.radius = radius;
  }
  area(): number {
    return Math.round(Math.PI * this.radius ** 2);
  }
}

export const circle = (radius: number): Circle => new Circle(radius);

export const isCircle = (value: unknown): boolean => value instanceof Circle;
