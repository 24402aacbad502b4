import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class HelloTest {
    @Test
    public void namesWhoIsGreeted() {
        assertEquals("hello from Java, psy", Hello.greeting("psy"));
    }
}
