/** A greeting. */
public class Hello {
    /** Returns what is said to somebody. */
    public static String greeting(String name) {
        return "hello from Java, " + name;
    }
}
